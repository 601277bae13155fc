import { expect, test } from 'vitest';
import type { WorkerId } from '../../src/domain/ids.ts';
import { openSqliteStore } from '../../src/store/sqlite/open-sqlite-store.ts';
import { startStoreChild } from '../support/store-child.ts';
import { tempDir } from '../support/temp-dir.ts';
import { aJob, aWorker, openTestStore } from '../support/test-store.ts';

test('two processes hammer one file: every job is done once, none is refused, both get work', async () => {
  await using t = await openTestStore();
  const each = 1_000;
  await using a = startStoreChild('hammer', t.dbPath, 'a', String(each));
  await using b = startStoreChild('hammer', t.dbPath, 'b', String(each));
  const said = (await Promise.all([a.ended(), b.ended()])).flat();
  expect(said.filter(({ failure }) => failure !== undefined)).toEqual([]);
  const done = said.map(({ done: ids = [] }) => ids);
  const { items } = await t.store.listJobs({ limit: 10_000, states: ['succeeded'] });
  expect(done.flat().sort()).toEqual(items.map(({ id }) => String(id)).sort());
  expect(done.flat()).toHaveLength(2 * each);
  for (const ids of done) expect(ids.length).toBeGreaterThan(each / 10);
});

test('a process killed in the middle of its commits has lost no job that it called accepted', async () => {
  await using dir = await tempDir();
  const dbPath = dir.join('capstan.db');
  for (let round = 1; round <= 3; round += 1) {
    await using child = startStoreChild('flood', dbPath);
    await child.fact(() => child.facts.length >= 300 * round);
    child.process.kill('SIGKILL');
    const accepted = (await child.ended()).flatMap(({ accepted: id }) => id ?? []);
    await using store = await openSqliteStore({ dbPath });
    const { items } = await store.listJobs({ limit: 1_000_000 });
    const there = new Set<string>(items.map(({ id }) => id));
    expect(accepted.filter((id) => !there.has(id))).toEqual([]);
    for (const { id } of items.slice(0, 50)) {
      expect((await store.listEvents(id, 0, 10)).map(({ type }) => type)).toEqual(['job.accepted']);
    }
  }
});

test('two processes that submit under the same keys at once get the same jobs', async () => {
  await using dir = await tempDir();
  const dbPath = dir.join('capstan.db');
  await using a = startStoreChild('keyed', dbPath, '200');
  await using b = startStoreChild('keyed', dbPath, '200');
  const [first, second] = await Promise.all([a, b].map(async (child) => (await child.ended())[0]));
  expect(first?.ids).toHaveLength(200);
  expect(first?.ids).toEqual(second?.ids);
  expect((first?.created ?? 0) + (second?.created ?? 0)).toBe(200);
});

test('a worker in another process is woken by a submission, again and again', async () => {
  await using t = await openTestStore();
  await t.store.registerWorker(aWorker('w1'));
  await using child = startStoreChild('work', t.dbPath, 'w1');
  await child.fact(({ ready }) => ready === 'w1');
  for (let i = 0; i < 20; i += 1) {
    const { job } = await t.store.submitJob(aJob());
    await child.fact(({ took }) => took === job.id);
  }
  child.process.stdin?.end();
  await child.ended();
  expect(child.process.exitCode).toBe(0);
});

test('a listener hears the commits of another process', async () => {
  await using t = await openTestStore();
  const heard = Promise.withResolvers<undefined>();
  t.store.subscribe('events', () => {
    void t.store.listJobs({ limit: 1 }).then(({ items }) => {
      if (items.length > 0) heard.resolve(undefined);
    });
  });
  await using child = startStoreChild('submit', t.dbPath);
  await child.ended();
  await heard.promise;
});

test('eight workers on one file: no job is lost or done twice, no lock reaches them, and none starves', async () => {
  await using t = await openTestStore();
  const names = Array.from({ length: 8 }, (_, at) => `w${at}`);
  await using children = new AsyncDisposableStack();
  for (const name of names) {
    await t.store.registerWorker(aWorker(name));
    await t.store.updateWorker(name as WorkerId, 'ready');
  }
  const workers = names.map((name) => children.use(startStoreChild('work', t.dbPath, name)));
  await Promise.all(workers.map((child) => child.fact(({ ready }) => ready !== undefined)));
  const jobs = 800;
  const ids = await Promise.all(
    Array.from({ length: jobs }, async () => (await t.store.submitJob(aJob())).job.id),
  );
  const succeeded = async () =>
    (await t.store.listJobs({ limit: jobs + 1, states: ['succeeded'] })).items.length;
  await expect.poll(succeeded, { timeout: 50_000 }).toBe(jobs);
  for (const child of workers) child.process.stdin?.end();
  const said = await Promise.all(workers.map((child) => child.ended()));
  expect(said.flat().filter(({ failure }) => failure !== undefined)).toEqual([]);
  const took = said.map((facts) => facts.flatMap(({ took: id }) => id ?? []));
  expect(took.flat().sort()).toEqual(ids.map(String).sort());
  for (const each of took) expect(each.length).toBeGreaterThan(jobs / workers.length / 10);
});
