import type { Migration } from './migration.ts';

/** What `previous_response_id` leads to. `items` is what the request sent and the model answered: with those before it the whole conversation. */
export const gatewayResponsesMigration: Migration = {
  version: 2,
  sql: `
    CREATE TABLE gateway_responses (
      no INTEGER PRIMARY KEY,
      id TEXT NOT NULL UNIQUE,
      previous_id TEXT,
      thread_id TEXT NOT NULL,
      turn_id TEXT NOT NULL,
      tools TEXT NOT NULL,
      is_whole INTEGER NOT NULL CHECK (is_whole IN (0, 1)),
      created_at_ms INTEGER NOT NULL,
      items TEXT NOT NULL
    ) STRICT;
    CREATE INDEX gateway_responses_thread ON gateway_responses (thread_id, no);
    CREATE INDEX gateway_responses_age ON gateway_responses (created_at_ms);
  `,
};
