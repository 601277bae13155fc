import type { JobEvent } from '../../contract/event.ts';
import type { Job } from '../../domain/job.ts';
import type { Store } from '../../domain/store.ts';

const pageSize = 500;

/** All events of the job's newest attempt, and what came after it; oldest first. */
export async function recentEvents(store: Store, { id, attempt }: Job): Promise<readonly JobEvent[]> {
  const found: JobEvent[] = [];
  for (let afterSeq = 0; ;) {
    const page = await store.listEvents(id, afterSeq, pageSize);
    found.push(...page.filter((event) => event.attempt === attempt && event.type !== 'agent.message.delta'));
    const last = page.at(-1);
    if (last === undefined || page.length < pageSize) return found;
    afterSeq = last.seq;
  }
}
