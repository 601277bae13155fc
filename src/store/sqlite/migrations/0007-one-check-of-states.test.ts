import BetterSqlite3, { type Database } from 'better-sqlite3';
import { expect, test } from 'vitest';
import { migrate } from '../migrate.ts';
import { migrations } from './index.ts';

const states = ['queued', 'running', 'parked', 'succeeded', 'failed', 'cancelled', 'lost'];
const facts = [
  [null, 'w'],
  [null, 5],
  [null, 6],
  [null, '{}'],
] as const;

/** Every state with every choice of what a state may demand or forbid. */
const rows = facts.reduce<readonly unknown[][]>(
  (before, choices) => before.flatMap((row) => choices.map((choice) => [...row, choice])),
  states.map((state) => [state]),
);

function isTaken(db: Database, row: readonly unknown[], id: number): boolean {
  try {
    db.prepare(
      `INSERT INTO jobs (id, type, queue, priority, max_attempts, run_at_ms, created_at_ms, input,
         state, worker_id, lease_until_ms, finished_at_ms, failure)
       VALUES (?, 't', 'q', 0, 1, 0, 0, '{}', ?, ?, ?, ?, ?)`,
    ).run(String(id), ...row);
    return true;
  } catch (error) {
    if (error instanceof Error && error.message.startsWith('CHECK constraint failed')) return false;
    throw error;
  }
}

test('the one check takes and refuses exactly what the checks before it did', () => {
  using old = openMemory();
  migrate(old.db, 1, migrations.slice(0, 6));
  using now = openMemory();
  migrate(now.db, 1);
  const taken = rows.map((row, id) => isTaken(old.db, row, id));
  expect(rows.map((row, id) => isTaken(now.db, row, id))).toEqual(taken);
  expect(taken.filter(Boolean)).toHaveLength(states.length - 1);
});

test('what refers to a job stays with it, and still goes when it does', () => {
  using memory = openMemory();
  const { db } = memory;
  db.pragma('foreign_keys = ON');
  migrate(db, 1, migrations.slice(0, 6));
  isTaken(db, ['queued', null, null, null, null], 1);
  db.exec("INSERT INTO attempts (job_no, attempt, worker_id, started_at_ms) VALUES (1, 1, 'w', 5)");
  migrate(db, 2);
  const attempts = (): unknown => db.prepare('SELECT count(*) FROM attempts').pluck().get();
  expect(attempts()).toBe(1);
  db.exec('DELETE FROM jobs');
  expect(attempts()).toBe(0);
  expect(() => {
    db.exec("INSERT INTO attempts (job_no, attempt, worker_id, started_at_ms) VALUES (1, 1, 'w', 5)");
  }).toThrow(/FOREIGN KEY/);
});

function openMemory(): Disposable & { readonly db: Database } {
  const db = new BetterSqlite3(':memory:');
  return { db, [Symbol.dispose]: () => void db.close() };
}
