import { AppError } from '../../../runtime/app-error.ts';

/** The cursor of the page behind this one, whose query asked for one row more than its limit; null where there is none. */
export function pageAfter(rows: readonly { readonly no: number }[], limit: number): string | null {
  const last = rows[limit - 1];
  return rows.length > limit && last !== undefined ? last.no.toString(36) : null;
}

export function parseCursor(cursor: string): number {
  const no = /^[0-9a-z]{1,10}$/.test(cursor) ? Number.parseInt(cursor, 36) : Number.NaN;
  if (Number.isSafeInteger(no)) return no;
  throw new AppError('user', 'bad_cursor', `'${cursor}' is not a cursor of this list.`, {
    hint: 'Pass the nextCursor of the page before, unchanged.',
  });
}
