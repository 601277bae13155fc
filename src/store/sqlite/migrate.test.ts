import BetterSqlite3 from 'better-sqlite3';
import { expect, test } from 'vitest';
import { checkSchema, migrate } from './migrate.ts';
import { migrations } from './migrations/index.ts';

const one = { version: 1, sql: 'CREATE TABLE a (x)' };
const two = { version: 2, sql: 'CREATE TABLE b (x)' };
const broken = { version: 3, sql: 'CREATE TABLE c (x); CREATE TABLE a (x)' };

const tables = (db: BetterSqlite3.Database): unknown[] =>
  db.prepare("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").pluck().all();

test('steps that are missing are taken, in order, and each once', () => {
  using db = openMemory();
  migrate(db.open, 5, [one]);
  migrate(db.open, 6, [one, two]);
  migrate(db.open, 7, [one, two]);
  expect(tables(db.open)).toEqual(['a', 'b', 'schema_version']);
  expect(db.open.prepare('SELECT version, applied_at_ms FROM schema_version').raw().all()).toEqual([
    [1, 5],
    [2, 6],
  ]);
});

test('a step that fails leaves the schema as it was', () => {
  using db = openMemory();
  migrate(db.open, 5, [one]);
  expect(() => {
    migrate(db.open, 6, [one, two, broken]);
  }).toThrow(/already exists/);
  expect(tables(db.open)).toEqual(['a', 'schema_version']);
  expect(checkSchema(db.open, [one, two])).toBe(1);
});

test('the list counts from 1 without a gap', () => {
  expect(migrations.map(({ version }) => version)).toEqual(migrations.map((_, index) => index + 1));
});

function openMemory(): Disposable & { readonly open: BetterSqlite3.Database } {
  const open = new BetterSqlite3(':memory:');
  return { open, [Symbol.dispose]: () => void open.close() };
}
