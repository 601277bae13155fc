// One process on a shared store. argv: command, database, further arguments; one JSON line a fact on stdout; ends when stdin ends.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { openStoreJobSource } from '../../src/queue/store-job-source.ts';
import type { WorkerId } from '../../src/domain/ids.ts';
import type { Store } from '../../src/domain/store.ts';
import { toFailure } from '../../src/runtime/app-error.ts';
import { openSqliteStore } from '../../src/store/sqlite/open-sqlite-store.ts';
import { aClaim, aJob, aWorker, succeeded } from '../support/test-store.ts';

const [command, dbPath = '', ...args] = process.argv.slice(2);
const say = (fact: object): void => {
  process.stdout.write(`${JSON.stringify(fact)}\n`);
};

const commands: Record<string, (store: Store) => Promise<void>> = {
  /** Opens and submits one job. */
  async submit(store) {
    say({ submitted: (await store.submitJob(aJob())).job.id });
  },
  /** Submits until it is killed; says what was accepted. */
  async flood(store) {
    for (;;) {
      const batch = Array.from({ length: 20 }, async () => {
        say({ accepted: (await store.submitJob(aJob())).job.id });
      });
      await Promise.all(batch);
    }
  },
  /** Submits under the keys k0 to kN, all at once. */
  async keyed(store) {
    const keys = Array.from({ length: Number(args[0]) }, (_, i) => `k${i}`);
    const results = await Promise.all(
      keys.map((idempotencyKey) => store.submitJob(aJob({ idempotencyKey }))),
    );
    say({ ids: results.map(({ job }) => job.id), created: results.filter(({ created }) => created).length });
  },
  /** Submits, claims and finishes at the same time until `args[1]` of its own were submitted and nothing waits. */
  async hammer(store) {
    const id = args[0] ?? '';
    await store.registerWorker(aWorker(id));
    await store.updateWorker(id as WorkerId, 'ready');
    const done: string[] = [];
    const submitting = (async () => {
      for (let left = Number(args[1]); left > 0; left -= 10) {
        await Promise.all(Array.from({ length: 10 }, () => store.submitJob(aJob())));
      }
    })();
    const submitted = new AbortController();
    void submitting.then(() => {
      submitted.abort();
    });
    for (;;) {
      const last = submitted.signal.aborted;
      const claimed = await store.claimJobs(aClaim(id, { limit: 8 }));
      const results = await Promise.all(claimed.map(({ lease }) => store.finishAttempt(lease, succeeded)));
      done.push(...claimed.filter((_, i) => results[i] === 'applied').map(({ job }) => job.id));
      if (claimed.length === 0 && last) break;
      await nextTurn();
    }
    await submitting;
    say({ done });
  },
  /** Takes jobs through a job source and says which, until stdin ends. */
  async work(store) {
    const id = args[0] as WorkerId;
    const over = new AbortController();
    process.stdin.resume().on('end', () => over.abort());
    await using source = openStoreJobSource({ store, workerId: id, types: ['noop'], queues: ['noop'] });
    say({ ready: id });
    while (!over.signal.aborted) {
      for (const { lease } of await source.next(1, over.signal)) {
        say({ took: lease.jobId });
        await source.finish(lease, succeeded);
      }
    }
  },
};

try {
  if (args[0] === 'nobody') process.setuid?.(65_534);
  await using store = await openSqliteStore({ dbPath });
  await commands[command ?? '']?.(store);
} catch (error) {
  say({ failure: toFailure(error) });
}
