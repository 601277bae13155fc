import type { Migration } from './migration.ts';

/** What GET /v1/responses/ID says: the response as it was answered, JSON. Responses from before have none. */
export const responseAnswersMigration: Migration = {
  version: 4,
  sql: 'ALTER TABLE gateway_responses ADD COLUMN answer TEXT',
};
