import BetterSqlite3 from 'better-sqlite3';
import { expect, test } from 'vitest';
import { tempDir } from '../../../test/support/temp-dir.ts';
import { GroupWriter } from './group-writer.ts';
import { fc, runs } from '../../../test/support/properties.ts';

test('whatever fails beside it, a write is applied once where it resolves, and not at all where it rejects', async () => {
  await using dir = await tempDir();
  const db = new BetterSqlite3(dir.join('x.db'));
  db.exec('CREATE TABLE t (n INTEGER, step INTEGER)');
  const insert = db.prepare('INSERT INTO t VALUES (?, ?)');
  const rung: string[] = [];
  const writer = new GroupWriter({
    db,
    now: Date.now,
    busyLimitMs: 1_000,
    ring: (topic) => rung.push(topic),
  });
  let next = 0;
  const write = async (fails: boolean): Promise<{ readonly n: number; readonly stored: boolean }> => {
    const n = (next += 1);
    const stored = await writer
      .write('relaxed', (tx) => {
        insert.run(n, 1);
        if (fails) throw new Error('planned');
        insert.run(n, 2);
        tx.ring('jobs');
        return n;
      })
      .then(
        (value) => value === n,
        () => false,
      );
    return { n, stored };
  };
  await fc.assert(
    fc.asyncProperty(fc.array(fc.boolean(), { maxLength: 12 }), async (plan) => {
      rung.length = 0;
      const results = await Promise.all(plan.map(write));
      expect(results.map(({ stored }) => stored)).toEqual(plan.map((fails) => !fails));
      for (const { n, stored } of results) {
        const steps = db.prepare('SELECT step FROM t WHERE n = ? ORDER BY step').pluck().all(n);
        expect(steps).toEqual(stored ? [1, 2] : []);
      }
      expect(rung.length > 0).toBe(plan.includes(false));
    }),
    runs(200),
  );
  await writer[Symbol.asyncDispose]();
  db.close();
});
