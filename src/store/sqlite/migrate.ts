import type { Database } from 'better-sqlite3';
import { AppError } from '../../runtime/app-error.ts';
import { migrations } from './migrations/index.ts';
import type { Migration } from './migrations/migration.ts';

/**
 * Refuses, without writing, a database that a newer Capstan or another program made.
 * @returns the schema's version; 0 for an empty file
 */
export function checkSchema(db: Database, known: readonly Migration[] = migrations): number {
  const tables = db
    .prepare<[], { name: string }>("SELECT name FROM sqlite_master WHERE type = 'table'")
    .all();
  if (tables.length === 0) return 0;
  if (!tables.some(({ name }) => name === 'schema_version')) {
    throw new AppError('configuration', 'store_foreign', `${db.name} is the database of another program.`, {
      hint: 'Choose another file with --db-path; nothing in this one was changed.',
    });
  }
  const found = db.prepare<[], number>('SELECT max(version) FROM schema_version').pluck().get() ?? 0;
  const newest = newestVersion(known);
  if (found > newest) {
    throw new AppError(
      'configuration',
      'store_newer',
      `${db.name} has schema version ${String(found)}; this Capstan knows versions up to ${String(newest)}.`,
      {
        hint: 'Use the newer Capstan that wrote it, or another --db-path; nothing in the file was changed.',
        details: { found, newest },
      },
    );
  }
  return found;
}

/**
 * Brings the schema to the newest version in one transaction, so that a crash leaves the old one and two processes that start at once
 * do it once. Kysely's own migrator takes neither a lock nor a transaction on SQLite.
 */
export function migrate(db: Database, nowMs: number, known: readonly Migration[] = migrations): void {
  // A table that is made anew would take along what refers to the one before; SQLite hears of this outside of transactions alone.
  const foreignKeys = db.pragma('foreign_keys', { simple: true });
  db.pragma('foreign_keys = OFF');
  try {
    db.exec('BEGIN IMMEDIATE');
    const from = checkSchema(db, known);
    if (from === 0) {
      db.exec(
        'CREATE TABLE IF NOT EXISTS schema_version (version INTEGER PRIMARY KEY, applied_at_ms INTEGER NOT NULL) STRICT',
      );
    }
    const applied = db.prepare('INSERT INTO schema_version (version, applied_at_ms) VALUES (?, ?)');
    for (const { version, sql } of known.filter((migration) => migration.version > from)) {
      db.exec(sql);
      applied.run(version, nowMs);
    }
    db.exec('COMMIT');
  } catch (error) {
    if (db.inTransaction) db.exec('ROLLBACK');
    throw error;
  } finally {
    db.pragma(`foreign_keys = ${String(foreignKeys)}`);
  }
}

function newestVersion(known: readonly Migration[]): number {
  return Math.max(0, ...known.map(({ version }) => version));
}
