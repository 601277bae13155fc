import { execFile, spawnSync, type ExecFileException } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';

const checkout = path.join(import.meta.dirname, '../..');
const command = path.join(checkout, 'bin/capstan.js');

interface Ended {
  readonly code: unknown;
  readonly stdout: string;
  readonly stderr: string;
}

async function run(file: string, args: readonly string[]): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(file, args, { timeout: 30_000 }, (error: ExecFileException | null, stdout, stderr) => {
      resolve({ code: error === null ? 0 : error.code, stdout, stderr });
    });
  });
}

/** Lets a new Node believe that it is another, for the versions that are not on this machine. */
function pretend(version: string): string {
  const versions = `{ value: { ...process.versions, node: '${version}' } }`;
  return `--import=data:text/javascript,${encodeURIComponent(`Object.defineProperty(process, 'versions', ${versions})`)}`;
}

const refusal = (version: string): unknown => ({
  code: 2,
  stdout: '',
  stderr: expect.stringMatching(
    new RegExp(
      `^capstan needs Node 22\\.19 or newer and was started with Node ${version.replaceAll('.', '\\.')}: .+\\n$`,
    ),
  ),
});

test.each(['18.20.0', '20.20.2', '22.18.0'])('Node %s is refused in one line', async (version) => {
  expect(await run(process.execPath, [pretend(version), command, '--version'])).toEqual(refusal(version));
});

test.each(['22.19.0', '23.0.0', '26.1.0'])('Node %s is taken', async (version) => {
  expect(await run(process.execPath, [pretend(version), command, '--version'])).toMatchObject({
    code: 0,
    stderr: '',
  });
});

// Beside the pretended ones, and only where there is one: another machine has nothing to skip.
for (const node of ['/usr/bin/node', '/usr/local/bin/node'].filter((file) => existsSync(file))) {
  const version = spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout.trim().slice(1);
  if (Number(version.split('.')[0]) >= 22) continue;
  test(`the machine's own Node ${version} at ${node} is refused in one line`, async () => {
    expect(await run(node, [command, 'run', 'anything'])).toEqual(refusal(version));
  });
}

test('--version prints the version of the package', async () => {
  const { version } = JSON.parse(await readFile(path.join(checkout, 'package.json'), 'utf8')) as {
    version: string;
  };
  expect(await run(process.execPath, [command, '--version'])).toEqual({
    code: 0,
    stdout: `${version}\n`,
    stderr: '',
  });
});
