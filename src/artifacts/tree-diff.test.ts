import { execFileSync, spawnSync } from 'node:child_process';
import { appendFileSync, chmodSync } from 'node:fs';
import { chmod, rm, truncate, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { buffer, text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { copyTree } from './copy-tree.ts';
import { fingerprintTree } from './fingerprint.ts';
import { freshFolder } from './fresh-folder.ts';
import { listTree } from './list-tree.ts';
import { removeTree } from './remove-tree.ts';
import { type TreeSpec, makeTree, scratchFolder } from '../../test/support/scratch-folder.ts';
import { diffTrees } from './tree-diff.ts';
import { fc, runs, timeLimit } from '../../test/support/properties.ts';

const noGit = spawnSync('git', ['--version']).status !== 0 && process.env['CI'] !== 'true';

async function copy(from: string, to: string): Promise<void> {
  const tree = await listTree(from);
  await freshFolder(to, (folder) => copyTree(tree, folder));
}

function gitApply(folder: string, patch: Buffer): void {
  execFileSync('git', ['apply', '--whitespace=nowarn'], {
    cwd: folder,
    input: patch,
    env: {
      PATH: process.env['PATH'],
      HOME: folder,
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CEILING_DIRECTORIES: join(folder, '..'),
    },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
}

/** Leaves alone: like git, a patch knows no folders. */
async function leaves(root: string): Promise<string> {
  const tree = await listTree(root, { exclude: ['.git'] });
  return fingerprintTree({ ...tree, entries: tree.entries.filter(({ kind }) => kind !== 'folder') });
}

async function applied(root: string): Promise<void> {
  const [base, current, target] = [join(root, 'base'), join(root, 'current'), join(root, 'target')];
  const patch = await buffer((await diffTrees(base, current)).patch());
  await copy(base, target);
  if (patch.length > 0) gitApply(target, patch);
  expect(await leaves(target)).toBe(await leaves(current));
}

test('lists what really changed, sorted, and leaves .git out', async () => {
  const root = scratchFolder();
  await makeTree(join(root, 'base'), {
    same: 'x',
    gone: 'x',
    text: 'one\n',
    mode: 'x',
    '.git/HEAD': 'a',
    'd/x': 'y',
  });
  await makeTree(join(root, 'current'), {
    same: 'x',
    text: 'two\n',
    mode: { exec: 'x' },
    'new/f': '',
    '.git/HEAD': 'b',
    'd/x': 'z',
  });
  const diff = await diffTrees(join(root, 'base'), join(root, 'current'));
  expect(diff.files).toEqual([
    { path: 'd/x', change: 'modified' },
    { path: 'gone', change: 'deleted' },
    { path: 'mode', change: 'modified' },
    { path: 'new/f', change: 'created' },
    { path: 'text', change: 'modified' },
  ]);
});

test.skipIf(noGit)('writes what git writes', async () => {
  const root = scratchFolder();
  await makeTree(join(root, 'base'), {
    'a b.txt': 'one\ntwo\nthree\n',
    ü: 'x',
    gone: 'bye\n',
    mode: 'x',
    link: { link: 'a' },
    long: ' x\n'.repeat(20),
  });
  await makeTree(join(root, 'current'), {
    'a b.txt': 'one\n2\nthree',
    ü: 'y\n',
    empty: '',
    mode: { exec: 'x' },
    link: 'a file now\n',
    'tab\t"quoted"': { link: 'ü' },
    long: `x\n${' x\n'.repeat(20)}y\n`,
  });
  const env = { PATH: process.env['PATH'], HOME: root, GIT_DIR: join(root, 'git'), GIT_CONFIG_NOSYSTEM: '1' };
  const git = (folder: string, ...args: readonly string[]): string =>
    execFileSync('git', args, {
      cwd: join(root, folder),
      encoding: 'utf8',
      env: { ...env, GIT_WORK_TREE: '.' },
    });
  git('base', 'init', '--quiet');
  const trees = ['base', 'current'].map((folder) => {
    git(folder, 'add', '--all');
    return git(folder, 'write-tree').trim();
  });
  const expected = git('base', 'diff-tree', '-p', '--binary', '--full-index', '--no-renames', ...trees);
  const diff = await diffTrees(join(root, 'base'), join(root, 'current'));
  expect(await text(diff.patch())).toBe(expected);
});

test.skipIf(noGit)(
  'git apply reproduces kinds that change, binaries, odd names and a file that lost its newline',
  async () => {
    const root = scratchFolder();
    await makeTree(join(root, 'base'), {
      'file-to-folder': 'x\n',
      'folder-to-file/a': 'x\n',
      'folder-to-file/b/c': 'x\n',
      'file-to-link': 'x\n',
      'link-to-file': { link: 'nowhere' },
      'link-to-folder': { link: 'nowhere' },
      binary: Buffer.from([0, 1, 2, 3]),
      'was-binary': Buffer.from([0, 1, 2, 3]),
      latin1: Buffer.from([0xe9, 10, 0xe8, 10, 0x85, 10]),
      crlf: 'a\r\nb\r\nc\r\n',
      separators: 'a\u2028b\u0085c\rd\ve\f\n'.repeat(3),
      'deep/er/only': 'x',
      'x b/x': 'one\n',
      'same halves b/same halves': '',
    });
    await makeTree(join(root, 'current'), {
      'file-to-folder/a/b': 'y\n',
      'folder-to-file': 'y\n',
      'file-to-link': { link: 'crlf' },
      'link-to-file': 'y',
      'link-to-folder/x': 'y',
      binary: { exec: Buffer.from([0, 1, 2, 3, 4, 5, 6]) },
      'was-binary': 'text now\n',
      latin1: Buffer.from([0xe9, 10, 0xea, 10, 0x85, 10]),
      crlf: 'a\r\nB\nc\r\n',
      separators: 'a\u2028b\u0085c\rd\ve\f\n'.repeat(2) + 'end',
      'with\nnewline "and" \\ tab\t.txt': 'x',
      ' leading and trailing ': 'x\n',
      'x b/x': { exec: 'two\n' },
      'ü/😀': Buffer.alloc(100_000, 'ab\0'),
      'empty \u00e9xec': { exec: '' },
    });
    await applied(root);
  },
);

const name = fc.constantFrom('a', 'b', 'c d', 'e\nf', 'ü', '"q"', 'b\\s', ' x', 'y\t', '-z', '@at', '😀');
const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'));
const lines = fc
  .array(
    fc.constantFrom(
      'one',
      'two',
      '',
      '\r',
      '--- a',
      '+++ b',
      '@@ -1 +1 @@',
      '\\ No newline',
      ' x ',
      '\u2028',
      'diff --git a/a b/a',
    ),
    { maxLength: 12 },
  )
  .chain((parts) => fc.constantFrom(parts.join('\n'), parts.map((part) => `${part}\n`).join('')));
const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array));
const targets = ['a', '../b', 'no where', 'ü'];
const leaf = fc.oneof(
  lines,
  lines,
  bytes,
  fc.oneof(lines, bytes).map((exec) => ({ exec })),
  fc.constantFrom(...targets).map((link) => ({ link })),
);

/** git does not make a folder of a link that leads in a circle, not even by its own diff. */
const mayCircle = (at: string, entry: unknown): boolean =>
  typeof entry === 'object' && entry !== null && 'link' in entry && targets.includes(basename(at));

/** A tree in which no entry stands where another needs a folder. */
const tree = fc.dictionary(path, leaf, { maxKeys: 8 }).map((spec): TreeSpec => {
  const paths = Object.keys(spec);
  return Object.fromEntries(
    Object.entries(spec).filter(
      ([one, entry]) => !paths.some((other) => other.startsWith(`${one}/`)) && !mayCircle(one, entry),
    ),
  );
});

test.skipIf(noGit)('git apply turns any base into any current', timeLimit(60_000), async () => {
  const root = scratchFolder();
  await fc.assert(
    fc.asyncProperty(tree, tree, async (base, current) => {
      for (const folder of ['base', 'current', 'target']) await removeTree(join(root, folder));
      await makeTree(join(root, 'base'), base);
      await makeTree(join(root, 'current'), current);
      await applied(root);
    }),
    runs(60),
  );
});

test.skipIf(noGit)('two large unlike texts become a replacement that git takes', async () => {
  const root = scratchFolder();
  const random = (seed: number): string =>
    Array.from({ length: 60_000 }, (_, i) => `${String((i * seed) % 7919)} ${String(i % seed)}\n`).join('');
  await makeTree(join(root, 'base'), { f: random(31) });
  await makeTree(join(root, 'current'), { f: random(37) });
  await applied(root);
});

test.skipIf(noGit)('a file of many megabytes passes through as a literal', async () => {
  const root = scratchFolder();
  await makeTree(join(root, 'base'), { big: 'x\n' });
  await makeTree(join(root, 'current'), { big: '' });
  await truncate(join(root, 'current/big'), 20 * 1024 ** 2);
  appendFileSync(join(root, 'current/big'), 'end');
  await applied(root);
});

test('what an agent leaves of its own is left out only where the source had none', async () => {
  const root = scratchFolder();
  await makeTree(join(root, 'base'), { a: 'x', '.agents/x': 'y' });
  await makeTree(join(root, 'current'), {
    a: 'x',
    '.agents/x': 'z',
    '.codex/log': 'x',
    'sub/.codex/log': 'x',
  });
  const diff = await diffTrees(join(root, 'base'), join(root, 'current'), { scratch: ['.codex', '.agents'] });
  expect(diff.files.map((file) => file.path)).toEqual(['.agents/x', 'sub/.codex/log']);
});

test('links are compared, never followed; what is no file is named, and not taken for deleted', async () => {
  const root = scratchFolder();
  await makeTree(join(root, 'base'), { l: 'x', p: 'x', d: { link: 'one' } });
  await makeTree(join(root, 'current'), { l: { link: '/etc/passwd' }, d: { link: 'two' } });
  execFileSync('mkfifo', [join(root, 'current/p')]);
  const diff = await diffTrees(join(root, 'base'), join(root, 'current'));
  expect(diff.files).toEqual([
    { path: 'd', change: 'modified' },
    { path: 'l', change: 'modified' },
  ]);
  expect(diff.comparison.refused).toEqual([{ path: 'p', reason: 'fifo' }]);
  expect(await text(diff.patch())).not.toContain('root:');
});

test('a fingerprint changes with content, name, kind, executable bit and link, and with nothing else', async () => {
  const root = scratchFolder();
  const folder = await makeTree(join(root, 'f'), { a: 'x', 'd/l': { link: '../a' }, '.git/HEAD': '1' });
  const print = async (): Promise<string> => fingerprintTree(await listTree(folder));
  const seen = new Set([await print()]);
  await writeFile(join(folder, '.git/HEAD'), '2');
  await chmod(join(folder, 'a'), 0o600);
  await copy(folder, join(root, 'copy'));
  seen.add(await fingerprintTree(await listTree(join(root, 'copy'))));
  seen.add(await print());
  expect(seen.size).toBe(1);
  const changes: readonly (() => unknown)[] = [
    () => writeFile(join(folder, 'a'), 'y'),
    () => {
      chmodSync(join(folder, 'a'), 0o700);
    },
    () => makeTree(folder, { b: '' }),
    () => makeTree(folder, { e: null }),
    async () => {
      await rm(join(folder, 'd/l'));
      await makeTree(folder, { 'd/l': '../a' });
    },
  ];
  for (const change of changes) {
    await change();
    seen.add(await print());
  }
  expect(seen.size).toBe(1 + changes.length);
});
