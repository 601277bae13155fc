import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { beforeEach, expect, it, onTestFinished } from 'vitest';
import { tempDir, type TempDir } from '../../test/support/temp-dir.ts';
import { bubblewrapPath } from './bubblewrap-path.ts';

const { signal } = new AbortController();
let dir: TempDir;

beforeEach(async () => {
  dir = await tempDir();
  onTestFinished(() => dir[Symbol.asyncDispose]());
});

async function program(path: string, script: string): Promise<string> {
  const full = dir.join(path);
  await mkdir(dirname(full), { recursive: true });
  await writeFile(full, `#!/bin/sh\n${script}\n`);
  await chmod(full, 0o755);
  return full;
}

it.each([
  ['none is on PATH', null, false],
  ['the one on PATH is new enough', 'echo "--args FD"; echo "--argv0 VALUE"', false],
  ['the one on PATH is older', 'echo "--args FD"', true],
  ['the one on PATH does not run', 'exit 127', true],
])("puts Codex's own before PATH only where it has to: %s", async (_name, script, isPutBefore) => {
  const bin = await program('codex/bin/codex', 'true');
  const own = dirname(await program('codex/codex-resources/bwrap', 'true'));
  if (script !== null) await program('system/bwrap', script);
  const path = `${dir.join('system')}:/nowhere`;
  expect(await bubblewrapPath({ bin, path, signal })).toBe(isPutBefore ? `${own}:${path}` : path);
});

it('finds it in the folder of the binary, too, and leaves PATH alone where there is none', async () => {
  const path = dirname(await program('system/bwrap', 'true'));
  const bin = await program('codex', 'true');
  expect(await bubblewrapPath({ bin, path, signal })).toBe(path);
  const own = dirname(await program('codex-resources/bwrap', 'true'));
  expect(await bubblewrapPath({ bin, path, signal })).toBe(`${own}:${path}`);
});
