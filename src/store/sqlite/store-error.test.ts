import { expect, test } from 'vitest';
import { tempDir } from '../../../test/support/temp-dir.ts';
import { toStoreError } from './store-error.ts';

const thrown = (code: string): Error => Object.assign(new Error('disk I/O error'), { code });

test.each([
  ['SQLITE_IOERR_LOCK', 'configuration', 'store_cannot_lock', /local disk/],
  ['SQLITE_IOERR_SHMLOCK', 'configuration', 'store_cannot_lock', /local disk/],
  ['SQLITE_IOERR_NOMEM', 'infrastructure', 'store_no_memory', /memory/],
  ['SQLITE_IOERR_READ', 'infrastructure', 'store_io', /system log/],
  // With room on the disk it is no want of room.
  ['SQLITE_IOERR_SHMSIZE', 'infrastructure', 'store_io', /system log/],
])('%s is of kind %s: %s', async (code, kind, name, hint) => {
  await using dir = await tempDir();
  const error = toStoreError(thrown(code), dir.join('capstan.db'));
  expect(error).toMatchObject({ kind, code: name });
  expect(error.hint).toMatch(hint);
});
