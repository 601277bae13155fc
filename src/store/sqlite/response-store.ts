import { resolve } from 'node:path';
import { systemClock } from '../../runtime/clock.ts';
import { openConnection } from './connection.ts';
import { retryBusy } from './retry-busy.ts';

/** A response that can be gone on with. */
export interface StoredResponse {
  readonly id: string;
  readonly previousId: string | null;
  readonly threadId: string;
  readonly turnId: string;
  /** A fingerprint of all that its thread was started with, its tools above all; empty without tools. */
  readonly tools: string;
  /** Whether its turn ended by itself: a thread whose turn was broken off is not gone on with. */
  readonly isWhole: boolean;
  readonly createdAtMs: number;
  /** JSON: what the request sent and what was answered, as items. */
  readonly items: string;
  /** JSON: the response as it was answered; null for those from before that was kept. */
  readonly answer: string | null;
}

/** Threads that no response can be gone on with in any more: whoever keeps them may let them go. */
export type UnusedThreads = readonly string[];

/** The responses that requests may name, durable. Rejects with the store's codes. */
export interface ResponseStore extends Disposable {
  /** Keeps a response, synced to disk before it resolves. Its own thread is unused where it is not whole and no other response has it. */
  save(response: StoredResponse): Promise<UnusedThreads>;
  /** Forgets the responses that were made before. */
  forget(beforeMs: number): Promise<UnusedThreads>;
  /** Forgets one; null where there is none. */
  remove(id: string): Promise<UnusedThreads | null>;
  /** Those of the threads that no response can be gone on with in. */
  unusedOf(threadIds: readonly string[]): Promise<UnusedThreads>;
  find(id: string): Promise<StoredResponse | null>;
  /** The id of the newest response of a thread. */
  newestOf(threadId: string): Promise<string | null>;
  /** The items of a response and of all before it, oldest first, each a JSON list; null where one of them is gone. */
  conversationOf(id: string): Promise<readonly string[] | null>;
}

export interface ResponseStoreOptions {
  readonly dbPath: string;
  readonly busyLimitMs: number;
}

interface Row {
  readonly id: string;
  readonly previous_id: string | null;
  readonly thread_id: string;
  readonly turn_id: string;
  readonly tools: string;
  readonly is_whole: 0 | 1;
  readonly created_at_ms: number;
  readonly items: string;
  readonly answer: string | null;
}

const busyTimeoutMs = 3;

/** Opens the responses in the store's database, on a connection of their own. The caller disposes it. */
export async function openResponseStore(options: ResponseStoreOptions): Promise<ResponseStore> {
  const where = { dbPath: resolve(options.dbPath), limitMs: options.busyLimitMs };
  const db = await retryBusy(
    () => openConnection({ dbPath: where.dbPath, journalMode: 'wal', busyTimeoutMs }, systemClock()),
    where,
  );
  db.pragma('synchronous = FULL');
  const insert = db.prepare<Row>(
    'INSERT INTO gateway_responses (id, previous_id, thread_id, turn_id, tools, is_whole, created_at_ms, items, answer) ' +
      'VALUES (:id, :previous_id, :thread_id, :turn_id, :tools, :is_whole, :created_at_ms, :items, :answer)',
  );
  const forget = db
    .prepare<[number], string>('DELETE FROM gateway_responses WHERE created_at_ms < ? RETURNING thread_id')
    .pluck();
  const remove = db
    .prepare<[string], string>('DELETE FROM gateway_responses WHERE id = ? RETURNING thread_id')
    .pluck();
  const isUsed = db
    .prepare<[string], 1>('SELECT 1 FROM gateway_responses WHERE thread_id = ? AND is_whole = 1 LIMIT 1')
    .pluck();
  const unused = (threadIds: readonly string[]): UnusedThreads =>
    [...new Set(threadIds)].filter((id) => id !== '' && isUsed.get(id) === undefined);
  const find = db.prepare<[string], Row>('SELECT * FROM gateway_responses WHERE id = ?');
  const newest = db
    .prepare<[string], string>(
      'SELECT id FROM gateway_responses WHERE thread_id = ? ORDER BY no DESC LIMIT 1',
    )
    .pluck();
  const chain = db.prepare<[string], { readonly previous_id: string | null; readonly items: string }>(
    `WITH RECURSIVE chain (id, previous_id, items, depth) AS (
       SELECT id, previous_id, items, 0 FROM gateway_responses WHERE id = ?
       UNION ALL
       SELECT r.id, r.previous_id, r.items, depth + 1 FROM gateway_responses r JOIN chain ON r.id = chain.previous_id
     ) SELECT previous_id, items FROM chain ORDER BY depth DESC`,
  );
  const save = db.transaction((row: Row) => {
    insert.run(row);
    return unused([row.thread_id]);
  });
  const forgetOld = db.transaction((beforeMs: number) => unused(forget.all(beforeMs)));
  const removeOne = db.transaction((id: string) => {
    const threadIds = remove.all(id);
    return threadIds.length === 0 ? null : unused(threadIds);
  });
  return {
    save: (response) => retryBusy(() => save.immediate(toRow(response)), where),
    forget: (beforeMs) => retryBusy(() => forgetOld.immediate(beforeMs), where),
    remove: (id) => retryBusy(() => removeOne.immediate(id), where),
    unusedOf: (threadIds) => retryBusy(() => unused(threadIds), where),
    find: (id) =>
      retryBusy(() => {
        const row = find.get(id);
        return row === undefined ? null : fromRow(row);
      }, where),
    newestOf: (threadId) => retryBusy(() => newest.get(threadId) ?? null, where),
    conversationOf: (id) =>
      retryBusy(() => {
        const rows = chain.all(id);
        return rows[0]?.previous_id === null ? rows.map(({ items }) => items) : null;
      }, where),
    [Symbol.dispose]: () => {
      db.close();
    },
  };
}

function toRow(response: StoredResponse): Row {
  return {
    id: response.id,
    previous_id: response.previousId,
    thread_id: response.threadId,
    turn_id: response.turnId,
    tools: response.tools,
    is_whole: response.isWhole ? 1 : 0,
    created_at_ms: response.createdAtMs,
    items: response.items,
    answer: response.answer,
  };
}

function fromRow(row: Row): StoredResponse {
  return {
    id: row.id,
    previousId: row.previous_id,
    threadId: row.thread_id,
    turnId: row.turn_id,
    tools: row.tools,
    isWhole: row.is_whole === 1,
    createdAtMs: row.created_at_ms,
    items: row.items,
    answer: row.answer,
  };
}
