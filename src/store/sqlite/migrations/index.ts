import { jobsMigration } from './0001-jobs.ts';
import { gatewayResponsesMigration } from './0002-gateway-responses.ts';
import type { Migration } from './migration.ts';

export const migrations: readonly Migration[] = [jobsMigration, gatewayResponsesMigration];
