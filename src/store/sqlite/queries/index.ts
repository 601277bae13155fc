export { countWaiting } from './count-waiting.ts';
export { findJobIds } from './find-job-ids.ts';
export { getJobRow } from './get-job.ts';
export { listBuildJobs, listBuilds } from './list-builds.ts';
export { listEnded } from './list-ended.ts';
export { listEvents } from './list-events.ts';
export { listJobs } from './list-jobs.ts';
export { listWorkers } from './list-workers.ts';
