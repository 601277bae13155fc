import { jobsMigration } from './0001-jobs.ts';
import { gatewayResponsesMigration } from './0002-gateway-responses.ts';
import { buildsMigration } from './0003-builds.ts';
import { responseAnswersMigration } from './0004-response-answers.ts';
import { jobDeletionMigration } from './0005-job-deletion.ts';
import { containersMigration } from './0006-containers.ts';
import { oneCheckOfStatesMigration } from './0007-one-check-of-states.ts';
import { derivedEventsMigration } from './0008-derived-events.ts';
import type { Migration } from './migration.ts';

export const migrations: readonly Migration[] = [
  jobsMigration,
  gatewayResponsesMigration,
  buildsMigration,
  responseAnswersMigration,
  jobDeletionMigration,
  containersMigration,
  oneCheckOfStatesMigration,
  derivedEventsMigration,
];
