import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmod,
  link,
  lstat,
  mkdir,
  readFile,
  readdir,
  readlink,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { Header, Pax } from 'tar';
import { expect, test } from 'vitest';
import { fingerprintTree } from './fingerprint.ts';
import { listTree } from './list-tree.ts';
import { packTree } from './pack-tree.ts';
import { removeTree } from './remove-tree.ts';
import { makeTree, scratchFolder } from '../../test/support/scratch-folder.ts';
import { type ArchiveLimits, defaultArchiveLimits, unpackArchive } from './unpack-archive.ts';
import { fc, runs } from '../../test/support/properties.ts';

type Type =
  NonNullable<ConstructorParameters<typeof Header>[0]> extends infer D
    ? D extends { type?: infer T }
      ? T
      : never
    : never;
interface Handmade {
  readonly path: string;
  readonly type?: Exclude<Type, undefined>;
  readonly linkpath?: string;
  readonly mode?: number;
  readonly body?: string;
}

function entry({ path, type = 'File', linkpath = '', mode = 0o644, body = '' }: Handmade): Buffer {
  const block = Buffer.alloc(512);
  new Header({ path, type, linkpath, mode, size: body.length, mtime: new Date(0) }).encode(block, 0);
  return Buffer.concat([block, Buffer.from(body), Buffer.alloc((512 - (body.length % 512)) % 512)]);
}

async function archive(root: string, ...parts: readonly (Handmade | Buffer)[]): Promise<string> {
  const file = join(root, 'a.tar.gz');
  const blocks = parts.map((part) => (Buffer.isBuffer(part) ? part : entry(part)));
  await writeFile(file, gzipSync(Buffer.concat([...blocks, Buffer.alloc(1024)])));
  return file;
}

const print = async (folder: string): Promise<string> =>
  fingerprintTree(await listTree(folder), { exclude: [] });

test('what was packed comes out again, .git, empty folders, long and odd names included', async () => {
  const root = scratchFolder();
  await makeTree(join(root, 'in'), {
    'a.txt': 'x',
    '.git/HEAD': 'y',
    empty: null,
    'bin/run': { exec: '#!/bin/sh\n' },
    [`${'long/'.repeat(40)}${'ä'.repeat(80)}\nline`]: 'z',
    ['n'.repeat(100)]: 'exactly',
    ['n'.repeat(101)]: 'one more',
    'ü\n': { link: `${'long/'.repeat(40)}${'ä'.repeat(80)}\nline` },
    '@at': '',
    'a big one': Buffer.alloc(700_000, 'abc\0'),
  });
  const packed = await packTree(join(root, 'in'), join(root, 'a.tar.gz'));
  expect(packed).toEqual({ files: 8, refused: [] });
  await unpackArchive(join(root, 'a.tar.gz'), join(root, 'out'));
  expect(await print(join(root, 'out'))).toBe(await print(join(root, 'in')));
  expect((await readdir(root)).sort()).toEqual(['a.tar.gz', 'in', 'out']);
});

test('any tree comes out as it was packed', async () => {
  const root = scratchFolder();
  const part = fc
    .string({ unit: 'grapheme', minLength: 1, maxLength: 60 })
    .filter(
      (name) => !/[/\0\uFFFD]|^\.\.?$/.test(name) && Buffer.byteLength(name) <= 255 && name.isWellFormed(),
    );
  const path = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));
  await fc.assert(
    fc.asyncProperty(
      fc.dictionary(path, fc.uint8Array({ maxLength: 2000 }), { maxKeys: 5 }),
      async (spec) => {
        for (const folder of ['in', 'out']) await removeTree(join(root, folder));
        const paths = Object.keys(spec).filter(
          (one, _, all) => !all.some((other) => other.startsWith(`${one}/`)),
        );
        await makeTree(
          join(root, 'in'),
          Object.fromEntries(paths.map((one) => [one, Buffer.from(spec[one] ?? [])])),
        );
        await packTree(join(root, 'in'), join(root, 'a.tar.gz'));
        await unpackArchive(join(root, 'a.tar.gz'), join(root, 'out'));
        expect(await print(join(root, 'out'))).toBe(await print(join(root, 'in')));
      },
    ),
    runs(60),
  );
});

test('equal trees make equal archives, and packing leaves set-user-id bits and shared inodes behind', async () => {
  const root = scratchFolder();
  const hashes = new Set<string>();
  for (const name of ['one', 'two']) {
    const folder = await makeTree(join(root, name), { b: 'x', a: 'y', 'd/e': '' });
    await chmod(join(folder, 'b'), 0o4755);
    if (name === 'two') await link(join(folder, 'a'), join(folder, 'c'));
    else await writeFile(join(folder, 'c'), 'y');
    await packTree(folder, join(root, `${name}.tar.gz`));
    hashes.add(
      createHash('sha256')
        .update(await readFile(join(root, `${name}.tar.gz`)))
        .digest('hex'),
    );
  }
  expect(hashes.size).toBe(1);
  await unpackArchive(join(root, 'two.tar.gz'), join(root, 'out'));
  expect((await lstat(join(root, 'out/b'))).mode & 0o7777).toBe(0o755);
});

test('the system’s tar reads our archives and we read its', async () => {
  const root = scratchFolder();
  const long = `${'deep/'.repeat(30)}ünd ${'x'.repeat(120)}`;
  await makeTree(join(root, 'in'), { a: 'x', [long]: 'y', l: { link: long }, 'e/f': null });
  await link(join(root, 'in/a'), join(root, 'in/same'));
  await packTree(join(root, 'in'), join(root, 'ours.tar.gz'));
  await mkdir(join(root, 'theirs'));
  execFileSync('tar', ['xzf', join(root, 'ours.tar.gz'), '-C', join(root, 'theirs')]);
  expect(await print(join(root, 'theirs'))).toBe(await print(join(root, 'in')));
  for (const format of ['gnu', 'pax', 'ustar']) {
    const args = format === 'ustar' ? ['--exclude=deep', '--exclude=l'] : [];
    execFileSync('tar', [
      'czf',
      join(root, 'a.tar.gz'),
      `--format=${format}`,
      ...args,
      '-C',
      join(root, 'in'),
      '.',
    ]);
    await unpackArchive(join(root, 'a.tar.gz'), join(root, 'out'));
    if (format !== 'ustar') expect(await print(join(root, 'out'))).toBe(await print(join(root, 'in')));
    expect(await readFile(join(root, 'out/same'), 'utf8')).toBe('x');
  }
});

const long = { path: 'evil' };
const paxPath = (path: string): Buffer => new Pax({ path }).encode();

test.each<readonly [string, readonly (Handmade | Buffer)[], string]>([
  ['an absolute path', [{ path: '/tmp/evil' }], '/tmp/evil'],
  ['an absolute path in an extended header', [paxPath('/tmp/evil'), long], '/tmp/evil'],
  ['a path with ..', [{ path: 'a/../../evil' }], 'a/../../evil'],
  ['a folder with ..', [{ path: '../evil/', type: 'Directory' }], '../evil/'],
  ['a link to an absolute path', [{ path: 'l', type: 'SymbolicLink', linkpath: '/etc/passwd' }], 'l'],
  ['a link that leads out', [{ path: 'd/l', type: 'SymbolicLink', linkpath: '../../x' }], 'd/l'],
  [
    'a link that leads out through another',
    [
      { path: 'a/b/c' },
      { path: 'x', type: 'SymbolicLink', linkpath: 'a/b' },
      { path: 'y', type: 'SymbolicLink', linkpath: 'x/../../../e' },
    ],
    'y',
  ],
  ['a file through a link', [{ path: 'l', type: 'SymbolicLink', linkpath: '.' }, { path: 'l/evil' }], 'l'],
  [
    'a file over a link',
    [
      { path: 'l', type: 'SymbolicLink', linkpath: 'x' },
      { path: 'l', body: 'evil' },
    ],
    'l',
  ],
  ['a hard link to the outside', [{ path: 'h', type: 'Link', linkpath: '/etc/passwd' }], '/etc/passwd'],
  ['a hard link with ..', [{ path: 'h', type: 'Link', linkpath: '../x' }], '../x'],
  [
    'a hard link to a link',
    [
      { path: 'l', type: 'SymbolicLink', linkpath: 'x' },
      { path: 'h', type: 'Link', linkpath: 'l' },
    ],
    'h',
  ],
  ['a device', [{ path: 'dev', type: 'CharacterDevice' }], 'dev'],
  ['a block device', [{ path: 'dev', type: 'BlockDevice' }], 'dev'],
  ['a pipe', [{ path: 'fifo', type: 'FIFO' }], 'fifo'],
  ['a sparse file', [{ path: 's', type: 'SparseFile' }], 's'],
  ['one name twice', [{ path: 'a' }, { path: './a' }], './a'],
  ['a file below a file', [{ path: 'a' }, { path: 'a/b' }], 'a/b'],
  ['a file in place of the root', [{ path: './.' }], './.'],
  ['a name with a NUL', [paxPath('a\0b'), long], 'a\0b'],
  ['a name that is too long', [paxPath('x'.repeat(300)), long], 'x'.repeat(300)],
])('%s is refused by name, and leaves nothing', async (_, parts, path) => {
  const root = scratchFolder();
  const file = await archive(root, { path: 'good', body: 'x' }, ...parts);
  await expect(unpackArchive(file, join(root, 'out'))).rejects.toMatchObject({
    kind: 'user',
    code: 'archive_refused',
    details: { path },
  });
  expect(await readdir(root)).toEqual(['a.tar.gz']);
});

test('links and hard links that stay inside come out; set-user-id bits do not', async () => {
  const root = scratchFolder();
  const file = await archive(
    root,
    { path: 'd/', type: 'Directory', mode: 0o2555 },
    { path: 'd/f', body: 'x', mode: 0o6755 },
    { path: 'l', type: 'SymbolicLink', linkpath: 'd/../d/f' },
    { path: 'h', type: 'Link', linkpath: './d/f' },
  );
  expect(await unpackArchive(file, join(root, 'out'))).toEqual({ files: 2, sizeBytes: 2 });
  expect(await readlink(join(root, 'out/l'))).toBe('d/../d/f');
  expect(await readFile(join(root, 'out/h'), 'utf8')).toBe('x');
  expect((await lstat(join(root, 'out/h'))).nlink).toBe(1);
  expect((await lstat(join(root, 'out/d/f'))).mode & 0o7777).toBe(0o755);
  expect((await lstat(join(root, 'out/d'))).mode & 0o7777).toBe(0o755);
});

test.each<readonly [string, Partial<ArchiveLimits>, string]>([
  ['entries', { maxEntries: 2 }, 'archive_too_large'],
  ['bytes', { maxBytes: 200_000 }, 'archive_too_large'],
  ['ratio', { maxRatio: 50, ratioFreeBytes: 65_536 }, 'archive_refused'],
])('the limit on %s holds', async (_, limits, code) => {
  const root = scratchFolder();
  const body = 'x'.repeat(100_000);
  const file = await archive(root, { path: 'a', body }, { path: 'b', body }, { path: 'c', body });
  const options = { limits: { ...defaultArchiveLimits, ...limits } };
  await expect(unpackArchive(file, join(root, 'out'), options)).rejects.toMatchObject({ kind: 'user', code });
  expect(await readdir(root)).toEqual(['a.tar.gz']);
});

test('hard links count with the bytes that they become', async () => {
  const root = scratchFolder();
  const body = 'x'.repeat(1000);
  const file = await archive(
    root,
    { path: 'a', body },
    ...['b', 'c', 'd'].map((path) => ({ path, type: 'Link', linkpath: 'a' }) as const),
  );
  const options = { limits: { ...defaultArchiveLimits, maxBytes: 3999 } };
  await expect(unpackArchive(file, join(root, 'out'), options)).rejects.toMatchObject({
    code: 'archive_too_large',
  });
});

test.each([
  'cut',
  'not gzip',
  'not tar',
  'nothing',
  'a header that lies about its size',
  'a broken extended header',
])('a corrupt archive is said to be so: %s', async (how) => {
  const root = scratchFolder();
  const file = await archive(root, { path: 'a', body: 'x'.repeat(5000) });
  if (how === 'cut') await truncate(file, 60);
  if (how === 'not gzip') await writeFile(file, 'hello');
  if (how === 'not tar') await writeFile(file, gzipSync(Buffer.alloc(2048, 'x')));
  if (how === 'nothing') await writeFile(file, '');
  if (how === 'a header that lies about its size')
    await writeFile(file, gzipSync(entry({ path: 'a', body: 'x'.repeat(5000) }).subarray(0, 1024)));
  if (how === 'a broken extended header') {
    const pax = paxPath('abc');
    pax.write('999', 512);
    await archive(root, pax, { path: 'x' });
  }
  await expect(unpackArchive(file, join(root, 'out'))).rejects.toMatchObject({
    kind: 'user',
    code: 'archive_corrupt',
  });
  expect(await readdir(root)).toEqual(['a.tar.gz']);
});

test('an abort ends unpacking and packing with its reason and leaves nothing', async () => {
  const root = scratchFolder();
  const file = await archive(root, { path: 'a', body: 'x' });
  const signal = AbortSignal.abort(new Error('enough'));
  await expect(unpackArchive(file, join(root, 'out'), { signal })).rejects.toThrow('enough');
  await mkdir(join(root, 'in'));
  await expect(packTree(join(root, 'in'), join(root, 'b.tar.gz'), { signal })).rejects.toThrow('enough');
  expect((await readdir(root)).sort()).toEqual(['a.tar.gz', 'in']);
});
