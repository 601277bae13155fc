import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { anyGoesOn, goOn, goOnNoMore } from '../support/docker/going-on.ts';
import { tempDir } from '../support/temp-dir.ts';

const checkout = path.join(import.meta.dirname, '../..');

/** Runs one test file under the project's own setup and reporter, in a folder of its own. */
async function runTests(content: string, environment: Readonly<Record<string, string>> = {}) {
  await using dir = await tempDir();
  await symlink(path.join(checkout, 'node_modules'), dir.join('node_modules'));
  await symlink(path.join(checkout, 'test'), dir.join('test'));
  await mkdir(dir.join('src'));
  await writeFile(dir.join('package.json'), '{ "type": "module" }');
  await writeFile(dir.join('src/a.test.ts'), `import { expect, test } from 'vitest';\n${content}`);
  await writeFile(
    dir.join('vitest.config.ts'),
    `export { default } from '${path.join(checkout, 'vitest.config.ts')}';\n`,
  );
  const { CI: _ci, ...inherited } = process.env;
  const child = spawn(
    process.execPath,
    ['node_modules/vitest/vitest.mjs', 'run', '--root', dir.path, '--project', 'unit'],
    { cwd: dir.path, env: { ...inherited, NO_COLOR: '1', ...environment } },
  );
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const [code, out, err] = await Promise.all([ended, text(child.stdout), text(child.stderr)]);
  return { code, out, err, lastLine: out.trimEnd().split('\n').at(-1) };
}

const passes = "test('passes', () => {});\n";
const skipped = `${passes}test('is skipped', (context) => context.skip('no such thing here'));\n`;

test('ends with the counts alone on the last line', async () => {
  const run = await runTests(passes);
  expect(run).toMatchObject({ code: 0, lastLine: '1 passed, 0 failed, 0 skipped' });
});

test('names what was skipped, and why', async () => {
  const run = await runTests(skipped);
  expect(run).toMatchObject({ code: 0, lastLine: '1 passed, 0 failed, 1 skipped' });
  expect(run.out).toContain('src/a.test.ts > is skipped: no such thing here');
});

test('with CI set, fails for a skipped test', async () => {
  const run = await runTests(skipped, { CI: 'true' });
  expect(run).toMatchObject({ code: 1, lastLine: '1 passed, 0 failed, 1 skipped' });
});

test('with CI set, fails for a test that keeps the others from running', async () => {
  const run = await runTests("test.only('alone', () => {});\n", { CI: 'true' });
  expect(run).toMatchObject({ code: 1, lastLine: '0 passed, 1 failed, 0 skipped' });
});

test('a file that breaks before its tests counts as a failure', async () => {
  const run = await runTests(`${passes}throw new Error('broken');\n`);
  expect(run).toMatchObject({ code: 1, lastLine: '0 passed, 1 failed, 0 skipped' });
});

test('fails for each process and folder that a test leaves, also behind a closed environment, and removes them', async () => {
  const run = await runTests(`
    import { spawn } from 'node:child_process';
    import { mkdtempSync } from 'node:fs';
    import { tmpdir } from 'node:os';
    test('leaves things', () => {
      const dir = mkdtempSync(tmpdir() + '/left-');
      const sleep = (env) => console.log('pid=' + start(env).pid);
      const start = (env) => {
        const child = spawn('sleep', ['1000'], { detached: true, stdio: 'ignore', env });
        child.unref();
        return child;
      };
      sleep({ ...process.env });
      sleep({ HOME: dir });
    });
  `);
  expect(run).toMatchObject({ code: 1, lastLine: '1 passed, 3 failed, 0 skipped' });
  expect(run.err).toMatch(/process \d+: sleep 1000/);
  expect(run.err).toMatch(/\/left-/);
  const pids = Array.from(run.out.matchAll(/pid=(\d+)/g), (match) => match[1] ?? '');
  expect(pids).toHaveLength(2);
  // Of a dead process there may be an entry until its parent takes note, but it has no command any more.
  for (const pid of pids) expect(await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).toBe('');
});

test('an engine that runs share is theirs until the last of them is over, or killed', async () => {
  await using dir = await tempDir();
  const runs = dir.join('runs');
  expect(await anyGoesOn(runs)).toBe(false);
  await goOn(runs, 'this');
  const module = JSON.stringify(path.join(checkout, 'test/support/docker/going-on.ts'));
  const script = `const { goOn } = await import(${module});
    await goOn(${JSON.stringify(runs)}, 'other');
    console.log('goes on');
    setInterval(() => undefined, 1000);`;
  const other = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(other, 'exit');
  await once(other.stdout, 'data');
  await goOnNoMore(runs, 'this');
  expect(await anyGoesOn(runs)).toBe(true);
  other.kill('SIGKILL');
  await ended;
  expect(await anyGoesOn(runs)).toBe(false);
});
