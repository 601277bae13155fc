import { jobsMigration } from './0001-jobs.ts';
import { buildsMigration } from './0002-builds.ts';
import type { Migration } from './migration.ts';

export const migrations: readonly Migration[] = [jobsMigration, buildsMigration];
