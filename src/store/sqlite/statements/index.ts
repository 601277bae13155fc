import type { Database } from 'better-sqlite3';
import { prepareAppendEvent } from './append-event.ts';
import { prepareAttemptEnding, prepareEndAttempt, prepareStartAttempt } from './attempt.ts';
import * as build from './build.ts';
import { prepareBuildClaim, prepareClaim } from './claim-jobs.ts';
import { prepareDeleteJob } from './delete-job.ts';
import {
  prepareEndable,
  prepareEndJob,
  prepareExpired,
  prepareHeldBy,
  prepareRequestCancel,
} from './end-job.ts';
import { prepareCountEvents, prepareExtendLease, prepareHeldLeases, prepareSaveCheckpoint } from './lease.ts';
import { prepareBuildFirstDue, prepareBuildNextDue, prepareFirstDue, prepareNextDue } from './next-due.ts';
import { prepareInsertJob, prepareJobByKey } from './submit-job.ts';
import * as worker from './worker.ts';

export type Statements = ReturnType<typeof prepareStatements>;

/** The hot statements, prepared once a connection. */
export function prepareStatements(db: Database) {
  return {
    appendEvent: prepareAppendEvent(db),
    startAttempt: prepareStartAttempt(db),
    endAttempt: prepareEndAttempt(db),
    attemptEnding: prepareAttemptEnding(db),
    claim: prepareClaim(db),
    buildClaim: prepareBuildClaim(db),
    deleteJob: prepareDeleteJob(db),
    endable: prepareEndable(db),
    endJob: prepareEndJob(db),
    expired: prepareExpired(db),
    heldBy: prepareHeldBy(db),
    requestCancel: prepareRequestCancel(db),
    extendLease: prepareExtendLease(db),
    countEvents: prepareCountEvents(db),
    heldLeases: prepareHeldLeases(db),
    saveCheckpoint: prepareSaveCheckpoint(db),
    firstDue: prepareFirstDue(db),
    nextDue: prepareNextDue(db),
    buildFirstDue: prepareBuildFirstDue(db),
    buildNextDue: prepareBuildNextDue(db),
    openBuild: build.prepareOpenBuild(db),
    closeBuild: build.prepareCloseBuild(db),
    wantJob: build.prepareWantJob(db),
    wantedAlone: build.prepareWantedAlone(db),
    releaseKey: build.prepareReleaseKey(db),
    insertJob: prepareInsertJob(db),
    jobByKey: prepareJobByKey(db),
    countWaiters: worker.prepareCountWaiters(db),
    registerWorker: worker.prepareRegisterWorker(db),
    updateWorker: worker.prepareUpdateWorker(db),
    touchWorker: worker.prepareTouchWorker(db),
    countProcessed: worker.prepareCountProcessed(db),
    deleteWorker: worker.prepareDeleteWorker(db),
  };
}
