import type { JobView } from '../contract/job.ts';
import { toIso } from '../runtime/clock.ts';
import { emptyReport, type Job } from './job.ts';

/** A job as every surface shows it. `nowMs` dates the duration of a job that has not ended. */
export function toJobView(job: Job, nowMs: number): JobView {
  const { status } = job;
  const report = job.report ?? emptyReport;
  const finishedAtMs = 'finishedAtMs' in status ? status.finishedAtMs : null;
  return {
    id: job.id,
    type: job.type,
    queue: job.queue,
    state: status.state,
    attempt: job.attempt,
    maxAttempts: job.maxAttempts,
    priority: job.priority,
    input: job.input,
    summary: report.summary,
    filesChanged: [...report.filesChanged],
    claimed: report.claimed === null ? null : { ...report.claimed, files: [...report.claimed.files] },
    checks: [...report.checks],
    warnings: [...report.warnings],
    usage: report.usage,
    agent: report.agent,
    threadId: report.threadId,
    resumed: report.resumed,
    durationMs: job.startedAtMs === null ? 0 : Math.max(0, (finishedAtMs ?? nowMs) - job.startedAtMs),
    artifacts: [...report.artifacts],
    ...('failure' in status ? { failure: status.failure } : {}),
    cancelRequested: status.state === 'running' && status.cancelRequested,
    workerId: status.state === 'running' ? status.workerId : null,
    retryOf: job.retryOf,
    runAt: 'runAtMs' in status ? toIso(status.runAtMs) : null,
    createdAt: toIso(job.createdAtMs),
    startedAt: job.startedAtMs === null ? null : toIso(job.startedAtMs),
    finishedAt: finishedAtMs === null ? null : toIso(finishedAtMs),
  };
}
