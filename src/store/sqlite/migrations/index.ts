import { jobsMigration } from './0001-jobs.ts';
import { gatewayResponsesMigration } from './0002-gateway-responses.ts';
import { buildsMigration } from './0003-builds.ts';
import { jobDeletionMigration } from './0004-job-deletion.ts';
import type { Migration } from './migration.ts';

export const migrations: readonly Migration[] = [
  jobsMigration,
  gatewayResponsesMigration,
  buildsMigration,
  jobDeletionMigration,
];
