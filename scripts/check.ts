/**
 * The five checks, as many at once as the machine has processors; each prints when it ends.
 * `npm run check` runs all, `npm run check lint types` those two.
 */
import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { text } from 'node:stream/consumers';

/** Longest first, so that the short ones fill the other processors meanwhile. */
const checks = {
  lint: ['node_modules/eslint/bin/eslint.js', '.', '--max-warnings=0'],
  types: ['node_modules/typescript/bin/tsc', '--project', 'tsconfig.json', '--pretty'],
  format: [
    'node_modules/prettier/bin/prettier.cjs',
    '--check',
    '.',
    '--log-level=warn',
    '--cache',
    '--cache-strategy=content',
    '--cache-location=node_modules/.cache/prettier-check',
  ],
  unused: ['node_modules/knip/bin/knip.js', '--no-progress', '--no-config-hints'],
  boundaries: ['scripts/check-boundaries.ts'],
} as const;
type Check = keyof typeof checks;

function isCheck(name: string): name is Check {
  return name in checks;
}

async function run(check: Check): Promise<boolean> {
  const started = performance.now();
  const child = spawn(process.execPath, checks[check], { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject).once('exit', resolve);
  });
  const [code, out, err] = await Promise.all([ended, text(child.stdout), text(child.stderr)]);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`${code === 0 ? 'ok  ' : 'FAIL'} ${check.padEnd(10)} ${seconds} s`);
  const said = `${out}${err}`.trim();
  if (code !== 0 && said !== '') console.log(said.replaceAll(/^/gm, '  '));
  return code === 0;
}

async function runNext(queue: Check[], failed: Check[]): Promise<void> {
  for (let check = queue.shift(); check !== undefined; check = queue.shift()) {
    if (!(await run(check))) failed.push(check);
  }
}

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !isCheck(name));
if (unknown.length > 0) {
  console.error(`No check is called ${unknown.join(', ')}. There are: ${Object.keys(checks).join(', ')}.`);
  process.exitCode = 2;
} else {
  const queue = (asked.length > 0 ? asked : Object.keys(checks)).filter(isCheck);
  const failed: Check[] = [];
  await Promise.all(Array.from({ length: availableParallelism() }, () => runNext(queue, failed)));
  if (failed.length > 0) console.log(`Failed: ${failed.join(', ')}.`);
  process.exitCode = failed.length > 0 ? 1 : 0;
}
