import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { describe, expect, test, type TestContext } from 'vitest';
import type { Store } from '../../src/domain/store.ts';
import { migrations } from '../../src/store/sqlite/migrations/index.ts';
import { openSqliteStore } from '../../src/store/sqlite/open-sqlite-store.ts';
import { toStoreError } from '../../src/store/sqlite/store-error.ts';
import { startStoreChild } from '../support/store-child.ts';
import { tempDir } from '../support/temp-dir.ts';
import { aJob, openTestStore } from '../support/test-store.ts';

const opening = async (dbPath: string): Promise<void> => {
  await using _ = await openSqliteStore({ dbPath, busyLimitMs: 200 });
};

/** A small disk of its own at `path`; skips where this user may not mount one. */
function mountDisk(
  path: string,
  context: TestContext,
): Disposable & { readonly remount: (how: string) => void } {
  const run = (...args: string[]): void => {
    const { status, stderr, error } = spawnSync(args[0] ?? '', args.slice(1), { encoding: 'utf8' });
    if (status !== 0) context.skip(`needs to mount a disk: ${error?.message ?? stderr.trim()}`);
  };
  mkdirSync(path);
  run('mount', '-t', 'tmpfs', '-o', 'size=2m,mode=755', 'tmpfs', path);
  return {
    remount: (how) => run('mount', '-o', `remount,${how}`, path),
    [Symbol.dispose]: () => void spawnSync('umount', ['-l', path]),
  };
}

describe('a database that cannot be used is refused by name', () => {
  test('its folder is missing', async () => {
    await using dir = await tempDir();
    await expect(opening(dir.join('no', 'capstan.db'))).rejects.toMatchObject({
      kind: 'configuration',
      code: 'store_unreachable',
      message: expect.stringContaining(dir.join('no')),
    });
  });

  test('its folder is a file, or it is a folder itself', async () => {
    await using dir = await tempDir();
    writeFileSync(dir.join('file'), '');
    mkdirSync(dir.join('folder'));
    await expect(opening(dir.join('file', 'capstan.db'))).rejects.toMatchObject({
      code: 'store_unreachable',
    });
    await expect(opening(dir.join('folder'))).rejects.toMatchObject({ code: 'store_unreachable' });
  });

  test('it is no database, and stays as it was', async () => {
    await using dir = await tempDir();
    const content = 'This is a letter, not a database. '.repeat(200);
    writeFileSync(dir.join('capstan.db'), content);
    await expect(opening(dir.join('capstan.db'))).rejects.toMatchObject({
      kind: 'configuration',
      code: 'store_corrupt',
      hint: expect.stringContaining('.recover'),
    });
    expect(readFileSync(dir.join('capstan.db'), 'utf8')).toBe(content);
  });

  test('it is damaged inside', async () => {
    await using t = await openTestStore();
    for (let i = 0; i < 200; i += 1) await t.store.submitJob(aJob({ input: 'x'.repeat(500) }));
    await t.store[Symbol.asyncDispose]();
    const bytes = readFileSync(t.dbPath);
    bytes.fill(0xa5, 4_096 * 2);
    writeFileSync(t.dbPath, bytes);
    const use = async (): Promise<void> => {
      await using store = await openSqliteStore({ dbPath: t.dbPath });
      await store.listJobs({ limit: 300 });
    };
    await expect(use()).rejects.toMatchObject({ code: 'store_corrupt' });
  });

  test('a newer Capstan made it: both versions are named and not a byte changes', async () => {
    await using t = await openTestStore();
    await t.store[Symbol.asyncDispose]();
    const db = new BetterSqlite3(t.dbPath);
    db.exec('INSERT INTO schema_version VALUES (99, 0); CREATE TABLE of_the_future (x)');
    db.close();
    const before = readFileSync(t.dbPath);
    await expect(opening(t.dbPath)).rejects.toMatchObject({
      kind: 'configuration',
      code: 'store_newer',
      message: expect.stringMatching(new RegExp(`version 99.*up to ${migrations.length}\\b`)),
    });
    expect(readFileSync(t.dbPath).equals(before)).toBe(true);
  });

  test('another program made it', async () => {
    await using dir = await tempDir();
    const db = new BetterSqlite3(dir.join('theirs.db'));
    db.exec('CREATE TABLE theirs (x)');
    db.close();
    const before = readFileSync(dir.join('theirs.db'));
    await expect(opening(dir.join('theirs.db'))).rejects.toMatchObject({ code: 'store_foreign' });
    expect(readFileSync(dir.join('theirs.db')).equals(before)).toBe(true);
  });

  test('its disk is read-only', async (context) => {
    await using dir = await tempDir();
    using disk = mountDisk(dir.join('disk'), context);
    const dbPath = dir.join('disk', 'capstan.db');
    await opening(dbPath);
    disk.remount('ro');
    await expect(opening(dbPath)).rejects.toMatchObject({ kind: 'configuration', code: 'store_read_only' });
    await expect(opening(dir.join('disk', 'new.db'))).rejects.toMatchObject({ code: 'store_read_only' });
  });

  describe.skipIf(process.getuid?.() !== 0)('as a user with few rights', () => {
    test.each([
      ['the file and folder may only be read', 0o644, 0o755, 'store_read_only'],
      ['the file may be written but not its folder', 0o666, 0o755, 'store_read_only'],
      ['the file may not be read', 0o600, 0o755, 'store_forbidden'],
      ['the folder may not be entered', 0o666, 0o700, 'store_forbidden'],
    ])('%s', async (_, fileMode, folderMode, code) => {
      await using t = await openTestStore();
      await t.store[Symbol.asyncDispose]();
      chmodSync(dirname(t.dir.path), 0o711);
      chmodSync(t.dbPath, fileMode);
      chmodSync(t.dir.path, folderMode);
      await using child = startStoreChild('submit', t.dbPath, 'nobody');
      const message = expect.stringMatching(
        /its folder is mode \d{4} of user 0, group 0; this process is user \d+/,
      ) as string;
      expect(await child.ended()).toMatchObject([{ failure: { kind: 'configuration', code, message } }]);
    });
  });
});

describe('trouble while it runs', () => {
  test('a full disk refuses a submission and keeps what was accepted; with room it goes on', async (context) => {
    await using dir = await tempDir();
    using disk = mountDisk(dir.join('disk'), context);
    await using store = await openSqliteStore({ dbPath: dir.join('disk', 'capstan.db') });
    const accepted: string[] = [];
    const fill = async (): Promise<void> => {
      for (;;) accepted.push((await store.submitJob(aJob({ input: 'x'.repeat(50_000) }))).job.id);
    };
    await expect(fill()).rejects.toMatchObject({ kind: 'infrastructure', code: 'store_full' });
    // What a full disk does to the files beside the database is said as that, too.
    const unnamed = Object.assign(new Error('disk I/O error'), { code: 'SQLITE_IOERR_SHMSIZE' });
    expect(toStoreError(unnamed, dir.join('disk', 'capstan.db'))).toMatchObject({ code: 'store_full' });
    expect(await idsOf(store)).toEqual(accepted);
    disk.remount('size=8m');
    accepted.push((await store.submitJob(aJob())).job.id);
    expect(await idsOf(store)).toEqual(accepted);
  });

  test('a lock that another process holds for too long is an error that names the file; writes go on after it', async () => {
    await using dir = await tempDir();
    const dbPath = dir.join('capstan.db');
    await using store = await openSqliteStore({ dbPath, busyLimitMs: 100 });
    const other = new BetterSqlite3(dbPath);
    other.exec('BEGIN IMMEDIATE');
    await expect(store.submitJob(aJob())).rejects.toMatchObject({
      kind: 'infrastructure',
      code: 'store_busy',
      message: expect.stringMatching(/capstan\.db is locked .* The file is mode 0600 of user \d+/),
    });
    expect(await store.listJobs({ limit: 1 })).toMatchObject({ items: [] });
    other.exec('COMMIT');
    other.close();
    await expect(store.submitJob(aJob())).resolves.toMatchObject({ created: true });
  });

  test('a lock that is given back in time goes unnoticed', async () => {
    await using t = await openTestStore();
    const other = new BetterSqlite3(t.dbPath);
    other.exec('BEGIN IMMEDIATE');
    const submitted = t.store.submitJob(aJob());
    // The event loop goes on while the write waits: this turn comes, and gives the lock back.
    setTimeout(() => other.exec('COMMIT'), 50);
    await expect(submitted).resolves.toMatchObject({ created: true });
    other.close();
  });

  test('a file that was moved away takes no more writes: they would be lost', async () => {
    await using t = await openTestStore();
    renameSync(t.dbPath, `${t.dbPath}.moved`);
    await expect(t.store.submitJob(aJob())).rejects.toMatchObject({ code: 'store_moved' });
    renameSync(`${t.dbPath}.moved`, t.dbPath);
    await expect(t.store.submitJob(aJob())).resolves.toMatchObject({ created: true });
  });

  test('a row that was changed from outside is an error, not a guess', async () => {
    await using t = await openTestStore();
    const { job } = await t.store.submitJob(aJob());
    const other = new BetterSqlite3(t.dbPath);
    other.prepare('UPDATE jobs SET report = ? WHERE id = ?').run('{"usage": 3}', job.id);
    other.close();
    await expect(t.store.getJob(job.id)).rejects.toMatchObject({ code: 'store_corrupt' });
  });
});

test('processes that start at once on a fresh file all get a store', async () => {
  await using dir = await tempDir();
  const children = [1, 2, 3].map(() => startStoreChild('submit', dir.join('capstan.db')));
  const said = await Promise.all(children.map((child) => child.ended()));
  for (const child of children) await child[Symbol.asyncDispose]();
  expect(said.flat().filter(({ submitted }) => submitted !== undefined)).toHaveLength(3);
});

async function idsOf(store: Store): Promise<string[]> {
  return (await store.listJobs({ limit: 1_000 })).items.map(({ id }) => id).reverse();
}
