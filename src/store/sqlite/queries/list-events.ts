import type { Database } from 'better-sqlite3';
import { jobEventBodySchema, type JobEvent, type JobEventBody } from '../../../contract/event.ts';
import type { JobId } from '../../../domain/ids.ts';
import { toJobView } from '../../../domain/job-view.ts';
import { toIso } from '../../../runtime/clock.ts';
import { checked, parseJson, toJob, type JobRow } from '../job-row.ts';
import type { DerivedEvent } from '../statements/append-event.ts';
import { all, sqlite, type JobEventRow } from '../tables.ts';
import { getJobRow } from './get-job.ts';

export interface EventRange {
  readonly id: JobId;
  readonly afterSeq: number;
  readonly limit: number;
}

type StoredEvent = Omit<JobEventRow, 'job_no'>;

export function listEvents(db: Database, { id, afterSeq, limit }: EventRange): JobEvent[] {
  const job = getJobRow(db, id);
  // A ring may be about any job: most followers have nothing to read.
  if (job === undefined || job.last_seq <= afterSeq) return [];
  const query = sqlite
    .selectFrom('job_events')
    .select(['seq', 'attempt', 'at_ms', 'type', 'body', 'worker_id'])
    .where('job_no', '=', job.no)
    .where('seq', '>', afterSeq)
    .orderBy('seq')
    .limit(limit);
  // Another process may have ended the job since its row was read: its last event, which carries the row, is for the next question then.
  const known = all(db, query).filter(({ seq }) => seq <= job.last_seq);
  return known.map((row) => toJobEvent(row, job));
}

function toJobEvent(row: StoredEvent, job: JobRow): JobEvent {
  const body =
    row.body === null
      ? derivedBody(row.type as DerivedEvent, row, job)
      : checked(jobEventBodySchema.safeParse(parseJson(row.body, job.id)), job.id);
  return { jobId: job.id, seq: row.seq, attempt: row.attempt, at: toIso(row.at_ms), ...body };
}

/** A terminal job never changes: the job that its last event carries is the row itself. */
function derivedBody(type: DerivedEvent, row: StoredEvent, job: JobRow): JobEventBody {
  switch (type) {
    case 'job.accepted':
      return { type, jobType: job.type, queue: job.queue };
    case 'job.started':
      return { type, workerId: row.worker_id ?? '' };
    case 'job.cancel_requested':
      return { type };
    case 'job.finished':
      return { type, job: toJobView(toJob(job), row.at_ms) };
  }
}
