import { jobsMigration } from './0001-jobs.ts';
import { gatewayResponsesMigration } from './0002-gateway-responses.ts';
import { buildsMigration } from './0003-builds.ts';
import { containersMigration } from './0004-containers.ts';
import type { Migration } from './migration.ts';

export const migrations: readonly Migration[] = [
  jobsMigration,
  gatewayResponsesMigration,
  buildsMigration,
  containersMigration,
];
