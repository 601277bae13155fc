import { expect, test } from 'vitest';
import BetterSqlite3 from 'better-sqlite3';
import { tempDir } from '../../../../test/support/temp-dir.ts';
import type { JobId } from '../../../domain/ids.ts';
import { migrate } from '../migrate.ts';
import { openSqliteStore } from '../open-sqlite-store.ts';
import { migrations } from './index.ts';

test('the events of a job that an older version ran are listed as they were, each once', async () => {
  await using dir = await tempDir();
  const dbPath = dir.join('capstan.db');
  const old = new BetterSqlite3(dbPath);
  migrate(old, 1, migrations.slice(0, 6));
  old.exec(`
    INSERT INTO jobs (no, id, type, queue, state, priority, attempt, counted_attempts, max_attempts, run_at_ms, created_at_ms,
      started_at_ms, finished_at_ms, last_seq, input)
    VALUES (7, 'j', 'noop', 'noop', 'succeeded', 0, 1, 1, 3, 10, 10, 20, 40, 4, '{}');
    INSERT INTO attempts (job_no, attempt, worker_id, started_at_ms, ended_at_ms, outcome) VALUES (7, 1, 'w', 20, 40, 'succeeded');
    INSERT INTO events (job_no, seq, attempt, at_ms, type, body) VALUES
      (7, 1, 0, 10, 'job.accepted', NULL), (7, 2, 1, 20, 'job.started', NULL),
      (7, 3, 1, 30, 'agent.message.delta', '{"type":"agent.message.delta","itemId":"i","delta":"hi"}'),
      (7, 4, 1, 40, 'job.finished', NULL);
  `);
  old.close();

  await using store = await openSqliteStore({ dbPath });
  expect(await store.listEvents('j' as JobId, 0, 10)).toMatchObject([
    { seq: 1, attempt: 0, type: 'job.accepted', jobType: 'noop', at: new Date(10).toISOString() },
    { seq: 2, attempt: 1, type: 'job.started', workerId: 'w' },
    { seq: 3, attempt: 1, type: 'agent.message.delta' },
    { seq: 4, attempt: 1, type: 'job.finished', job: { state: 'succeeded' } },
  ]);
  expect((await store.listEvents('j' as JobId, 2, 1)).map(({ seq }) => seq)).toEqual([3]);
});
