import path from 'node:path';
import BetterSqlite3 from 'better-sqlite3';

/** Keeps everybody else from writing to a data folder's database until disposed. */
export function lockDatabase(dataDir: string): Disposable {
  const db = new BetterSqlite3(path.join(dataDir, 'capstan.db'));
  db.exec('BEGIN EXCLUSIVE');
  return {
    [Symbol.dispose]() {
      db.close();
    },
  };
}
