import { chmod, copyFile, mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { tempDir, type TempDir } from '../../test/support/temp-dir.ts';
import { findCodex } from './find-codex.ts';
import { protocolVersion } from './protocol/generated/version.ts';

const root = join(import.meta.dirname, '../..');
const { signal } = new AbortController();
let dir: TempDir;
let nowhere: string;

beforeEach(async () => {
  dir = await tempDir();
  onTestFinished(() => dir[Symbol.asyncDispose]());
  nowhere = dir.join('elsewhere.js');
});

async function program(path: string, script: string): Promise<string> {
  const full = dir.join(path);
  await mkdir(dirname(full), { recursive: true });
  await writeFile(full, `#!/bin/sh\n${script}\n`);
  await chmod(full, 0o755);
  return full;
}

/** A global npm installation in small: the shim, the platform's package beside it, and the link in `bin`. */
async function npmPrefix(): Promise<{ readonly bin: string; readonly binary: string }> {
  const modules = 'lib/node_modules/@openai/codex';
  const [platformPackage, triple] =
    process.arch === 'arm64'
      ? ['codex-linux-arm64', 'aarch64-unknown-linux-musl']
      : ['codex-linux-x64', 'x86_64-unknown-linux-musl'];
  const platform = `${modules}/node_modules/@openai/${platformPackage}`;
  await program(`${modules}/bin/codex.js`, 'echo this is the slow one; exit 1');
  const binary = await program(`${platform}/vendor/${triple}/bin/codex`, 'echo codex-cli 0.1.2');
  await writeFile(dir.join(`${platform}/package.json`), '{}');
  await mkdir(dir.join('bin'));
  await symlink(`../${modules}/bin/codex.js`, dir.join('bin/codex'));
  return { bin: dir.join('bin'), binary };
}

describe('finding Codex', () => {
  it('takes the binary behind the installed package, not its script', async () => {
    const found = await findCodex({ bin: null, path: '', signal });
    expect(found.path).toMatch(/vendor\/.*\/bin\/codex$/);
    expect(found).toMatchObject({ version: protocolVersion, warning: null });
  });

  it('takes what codex.bin says before anything else, and warns of another version with both', async () => {
    const bin = await program('my codex', 'echo codex-cli 0.1.2-beta');
    const found = await findCodex({ bin, path: '', signal });
    expect(found).toMatchObject({ path: bin, version: '0.1.2-beta' });
    expect(found.warning).toContain('0.1.2-beta');
    expect(found.warning).toContain(protocolVersion);
  });

  it('looks a bare name of codex.bin up on PATH', async () => {
    const bin = await program('tools/codex-next', 'echo codex-cli 1.0.0');
    const path = `relative:${dir.path}:${dir.join('tools')}`;
    expect(await findCodex({ bin: 'codex-next', path, signal })).toMatchObject({ path: bin });
  });

  it('falls back to PATH', async () => {
    const bin = await program('tools/codex', 'echo codex-cli 1.0.0');
    expect(await findCodex({ bin: null, path: dir.join('tools'), signal, from: nowhere })).toMatchObject({
      path: bin,
      version: '1.0.0',
    });
  });

  it("resolves the binary beside npm's script, on PATH and as codex.bin", async () => {
    const { bin, binary } = await npmPrefix();
    expect(await findCodex({ bin: null, path: bin, signal, from: nowhere })).toMatchObject({ path: binary });
    expect(await findCodex({ bin: join(bin, 'codex'), path: '', signal })).toMatchObject({ path: binary });
    const ours = await findCodex({ bin: join(root, 'node_modules/.bin/codex'), path: '', signal });
    expect(ours.path).toMatch(/vendor\/.*\/bin\/codex$/);
  });

  it.each([
    ['nothing is installed', null],
    ['codex.bin is missing', '/no/such/codex'],
    ['codex.bin is a folder', '/usr'],
    ['codex.bin is not on PATH', 'codex-next'],
  ])('says what to do where %s', async (_name, bin) => {
    await copyFile(import.meta.filename, dir.join('codex'));
    await expect(findCodex({ bin, path: dir.path, signal, from: nowhere })).rejects.toMatchObject({
      kind: 'configuration',
      code: 'codex_missing',
      hint: expect.stringMatching(/codex\.bin/),
    });
  });

  it.each([
    ['fails', 'echo no; exit 3'],
    ['says nothing of a version', 'echo hello'],
  ])('names a program that %s', async (_name, script) => {
    const bin = await program('codex', script);
    await expect(findCodex({ bin, path: '', signal })).rejects.toMatchObject({
      kind: 'configuration',
      code: 'codex_broken',
      message: expect.stringContaining(bin),
    });
  });
});
