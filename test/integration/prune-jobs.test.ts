import { existsSync } from 'node:fs';
import { mkdir, readdir, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { createArtifactStorage, type ArtifactStorage } from '../../src/artifacts/artifact-storage.ts';
import type { BuildId, JobId } from '../../src/domain/ids.ts';
import { emptyReport, type AttemptOutcome } from '../../src/domain/job.ts';
import { deleteJob, finishDeletions, type DeleteDeps } from '../../src/service/jobs/delete-jobs.ts';
import { pruneLeftovers } from '../../src/service/jobs/prune-leftovers.ts';
import { newId } from '../../src/runtime/ids.ts';
import { pruneJobs, type PruneOptions } from '../../src/service/jobs/prune-jobs.ts';
import { aClaim, aJob, aWorker, openTestStore, type TestStore } from '../support/test-store.ts';

const day = 24 * 3_600_000;

interface Place extends AsyncDisposable {
  readonly opened: TestStore;
  readonly artifacts: ArtifactStorage;
  /** With a clock that is this much ahead. */
  deps(aheadMs?: number): DeleteDeps;
  /** A job that has ended, with an artifact and the copy of its folder. */
  ended(state?: 'succeeded' | 'failed'): Promise<JobId>;
  prune(options?: Partial<PruneOptions>): ReturnType<typeof pruneJobs>;
  /** What is left of a job, of all that there is while it is whole. */
  left(id: JobId): Promise<readonly string[]>;
}

async function openPlace(): Promise<Place> {
  const opened = await openTestStore();
  const { store, dir } = opened;
  const artifacts = createArtifactStorage(dir.join('artifacts'));
  const place: Place = {
    opened,
    artifacts,
    deps: (aheadMs = 0) => ({ store, dataDir: dir.path, clock: () => Date.now() + aheadMs }),
    async ended(state = 'succeeded') {
      const { job } = await store.submitJob(aJob());
      const [claimed] = await store.claimJobs(aClaim('w'));
      if (claimed === undefined) throw new Error('nothing to claim');
      await mkdir(dir.join('jobs', job.id, 'source'), { recursive: true });
      const artifact = await artifacts.put(job.id, 'changes.patch', Buffer.from('0123456789'));
      const report = { ...emptyReport, artifacts: [artifact] };
      const failure = { kind: 'agent', code: 'x', message: 'x', hint: '' } as const;
      const outcome: AttemptOutcome =
        state === 'succeeded' ? { kind: state, report } : { kind: state, report, failure };
      await store.finishAttempt(claimed.lease, outcome);
      return job.id;
    },
    prune: (options = {}) =>
      pruneJobs(place.deps(2 * day), {
        olderThanMs: day,
        signal: AbortSignal.timeout(20_000),
        ...options,
      }),
    async left(id) {
      const places = { artifacts: dir.join('artifacts', id), folder: dir.join('jobs', id) };
      const files = Object.entries(places).filter(([, folder]) => existsSync(folder));
      return [...((await store.getJob(id)) === null ? [] : ['row']), ...files.map(([name]) => name)];
    },
    [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
  };
  return place;
}

const whole = ['row', 'artifacts', 'folder'];

describe('pruning', () => {
  test('takes what ended before then, with all that is kept of it, and nothing that is younger or lives', async () => {
    await using t = await openPlace();
    const old = [await t.ended(), await t.ended('failed')] as const;
    const { store } = t.opened;
    const waiting = (await store.submitJob(aJob())).job.id;
    expect(await t.prune({ olderThanMs: 3 * day })).toMatchObject({ jobs: [] });
    const pruned = await t.prune();
    expect(pruned).toEqual({
      jobs: [
        { id: old[0], state: 'succeeded' },
        { id: old[1], state: 'failed' },
      ],
      artifactBytes: 20,
      keptForBuilds: 0,
    });
    for (const id of old) expect(await t.left(id)).toEqual([]);
    expect(await store.listEvents(old[0], 0, 10)).toEqual([]);
    expect(await t.left(waiting)).toEqual(['row']);
    expect(await readdir(t.opened.dir.join('deleting'))).toEqual([]);
  });

  test('takes only the states that are asked for, and with a dry run nothing', async () => {
    await using t = await openPlace();
    const [fine, failed] = [await t.ended(), await t.ended('failed')];
    expect((await t.prune({ dryRun: true })).jobs).toHaveLength(2);
    expect(await t.left(fine)).toEqual(whole);
    await t.prune({ states: ['failed'] });
    expect([await t.left(fine), await t.left(failed)]).toEqual([whole, []]);
  });

  test('goes through many pages', async () => {
    await using t = await openPlace();
    const ids: JobId[] = [];
    for (let count = 0; count < 250; count += 1) ids.push(await t.ended());
    expect((await t.prune()).jobs.map(({ id }) => id)).toEqual(ids);
  });

  test('leaves what a build remembers or wants', async () => {
    await using t = await openPlace();
    const [remembered, wanted, other] = [await t.ended(), aJob({ idempotencyKey: 'k' }), await t.ended()];
    const { store, dir } = t.opened;
    const build = 'build-1' as BuildId;
    await store.openBuild(build, { host: 'here', pid: 1, startToken: 'x' });
    await store.submitJob({ ...wanted, buildId: build });
    await store.cancelJob(wanted.id);
    await mkdir(dir.join('builds'));
    const state = { version: 1, tasks: { a: { jobId: remembered, outputs: null } } };
    await writeFile(dir.join('builds', 'x.json'), JSON.stringify(state));
    expect(await t.prune()).toMatchObject({ jobs: [{ id: other }], keptForBuilds: 1 });
    expect(await t.left(remembered)).toEqual(whole);
    expect(await t.left(wanted.id)).toEqual(['row']);
    await store.closeBuild(build);
    expect((await t.prune({ builds: true })).jobs.map(({ id }) => id)).toEqual([remembered, wanted.id]);
  });

  test('a retry outlives the job that it is a retry of', async () => {
    await using t = await openPlace();
    const first = await t.ended('failed');
    const { store } = t.opened;
    const retry = await store.submitJob(aJob({ retryOf: first }));
    await t.prune();
    expect(await t.left(first)).toEqual([]);
    expect(await store.getJob(retry.job.id)).toMatchObject({ retryOf: null, status: { state: 'queued' } });
  });
});

describe('a process that is killed while it deletes', () => {
  test('after the note: the job is whole, and goes the next time', async () => {
    await using t = await openPlace();
    const id = await t.ended();
    const notes = t.opened.dir.join('deleting');
    await mkdir(notes);
    await writeFile(path.join(notes, 'a.json'), JSON.stringify([{ id, rolloutPath: null }]));
    await writeFile(path.join(notes, 'torn.json'), '[{"id":');
    await finishDeletions(t.deps());
    expect(await t.left(id)).toEqual(whole);
    await finishDeletions(t.deps(day));
    expect([await t.left(id), await readdir(notes)]).toEqual([whole, []]);
    await t.prune();
    expect(await t.left(id)).toEqual([]);
  });

  test('after its rows went: the files go with the next look', async () => {
    await using t = await openPlace();
    const id = await t.ended();
    const notes = t.opened.dir.join('deleting');
    await mkdir(notes);
    await writeFile(path.join(notes, 'a.json'), JSON.stringify([{ id, rolloutPath: null }]));
    await t.opened.store.deleteJobs([id]);
    expect(await t.left(id)).toEqual(['artifacts', 'folder']);
    await finishDeletions(t.deps());
    expect([await t.left(id), await readdir(notes)]).toEqual([[], []]);
  });
});

test('one job that has not ended is not deleted, and says so', async () => {
  await using t = await openPlace();
  const { store } = t.opened;
  const { job } = await store.submitJob(aJob());
  await expect(deleteJob(t.deps(), job)).rejects.toMatchObject({ kind: 'user', code: 'job_not_ended' });
  expect(await t.left(job.id)).toEqual(['row']);
});

describe('what no job and no service has any more', () => {
  const agoMs = (ms: number): number => (Date.now() - ms) / 1000;
  /** Makes files below the data folder, as old as is said. */
  const writeOld = async (t: Place, ms: number, ...files: readonly string[]): Promise<void> => {
    for (const file of files) {
      const at = t.opened.dir.join(file);
      await mkdir(path.dirname(at), { recursive: true });
      await writeFile(at, 'x');
      await utimes(at, agoMs(ms), agoMs(ms));
    }
  };
  const sessions = 'codex-home/sessions/2026/01/02';
  const rollout = (id: string): string => `${sessions}/rollout-2026-01-02T03-04-05-${id}.jsonl`;
  const leftovers = (t: Place, dryRun = false) =>
    pruneLeftovers(t.deps(), { olderThanMs: day, dryRun, signal: AbortSignal.timeout(20_000) });

  test('old threads without a job go; those of jobs, young ones and other files stay', async () => {
    await using t = await openPlace();
    const [mine, gone, young] = [newId(), newId(), newId()];
    const { store } = t.opened;
    await store.submitJob(aJob({ type: 'codex' }));
    const [claimed] = await store.claimJobs(aClaim('w', { types: ['codex'], queues: ['noop'] }));
    if (claimed === undefined) throw new Error('nothing to claim');
    const checkpoint = { threadId: mine, rolloutPath: null, host: 'here', workspaceDir: '/x' };
    await store.reportProgress(claimed.lease, { events: [], checkpoint });
    await writeOld(t, 2 * day, rollout(mine), rollout(gone), `${sessions}/notes.txt`);
    await writeOld(t, 60_000, rollout(young));
    expect(await leftovers(t, true)).toEqual({ logs: 0, threads: 1 });
    expect(await leftovers(t)).toEqual({ logs: 0, threads: 1 });
    const kept = ['notes.txt', ...[mine, young].map((id) => path.basename(rollout(id)))];
    expect((await readdir(t.opened.dir.join(sessions))).sort()).toEqual(kept.sort());
  });

  test('logs of services that are gone go when they are old; those of registered ones stay', async () => {
    await using t = await openPlace();
    const { store, dir } = t.opened;
    await store.registerWorker(aWorker('w', { name: 'capstan-service-a-noop-1' }));
    await writeOld(t, 2 * day, 'logs/capstan-service-a-noop-1.log', 'logs/capstan-service-a-noop-2.log');
    await writeOld(t, 60_000, 'logs/capstan-service-a-noop-3.log');
    expect(await leftovers(t)).toEqual({ logs: 1, threads: 0 });
    expect((await readdir(dir.join('logs'))).sort()).toEqual([
      'capstan-service-a-noop-1.log',
      'capstan-service-a-noop-3.log',
    ]);
  });

  test('an empty data folder has none', async () => {
    await using t = await openPlace();
    expect(await leftovers(t)).toEqual({ logs: 0, threads: 0 });
  });
});
