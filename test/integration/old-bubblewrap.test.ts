import { execFile } from 'node:child_process';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'vitest';
import { needs } from '../support/needs.ts';
import { tempDir } from '../support/temp-dir.ts';

const run = promisify(execFile);
const bin = path.join(import.meta.dirname, '../../bin/capstan.js');
const { test } = needs('root');

interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
}

/** What `doctor` says of the sandbox where the system has a bubblewrap that says this of itself; null: none. */
async function sandboxCheck(help: string | null): Promise<Check | undefined> {
  await using dir = await tempDir('cache');
  await Promise.all(['upper', 'work', 'data'].map((name) => mkdir(dir.join(name))));
  if (help !== null) {
    await writeFile(dir.join('upper/bwrap'), `#!/bin/sh\necho '${help}'\n`);
    await chmod(dir.join('upper/bwrap'), 0o755);
  }
  const mount = `mount -t overlay -o "lowerdir=/usr/bin,upperdir=$1/upper,workdir=$1/work" overlay /usr/bin && shift && exec "$@"`;
  const command = [process.execPath, bin, 'doctor', '--json', '--db-path', dir.join('data/capstan.db')];
  const env = { PATH: process.env['PATH'] ?? '', HOME: dir.path };
  const { stdout } = await run(
    'unshare',
    ['--mount', 'sh', '-c', mount, 'sh', dir.path, ...command],
    { env, cwd: dir.path },
    // It fails for want of a key.
  ).catch((error: unknown) => error as { readonly stdout: string });
  const { checks } = JSON.parse(stdout) as { readonly checks: readonly Check[] };
  return checks.find(({ name }) => name === 'sandbox');
}

test('a bubblewrap of the system that Codex would prefer and cannot use is told before any job runs', async () => {
  expect(await sandboxCheck('usage: bwrap [OPTIONS...] --args FD')).toMatchObject({
    ok: false,
    detail: expect.stringContaining('/usr/bin/bwrap is too old'),
  });
  expect(await sandboxCheck(null)).toMatchObject({ ok: true });
});
