import type { JobEvent } from '../../contract/event.ts';
import type { JobId } from '../../domain/ids.ts';
import type { Store } from '../../domain/store.ts';
import { pause } from '../../runtime/wait.ts';

const pageSize = 500;
/** Only a net under the bell: a lost wake-up costs this much and no more. */
const safetyPollMs = 5_000;

export interface FollowOptions {
  /** Events with a greater `seq` are given. */
  readonly afterSeq: number;
  /** Whether to wait for more, until `job.finished`. */
  readonly follow: boolean;
  readonly signal: AbortSignal;
}

/** A job's events in order; ends after `job.finished`, when there are no more and it does not follow, or when the signal aborts. */
export async function* followEvents(
  store: Store,
  id: JobId,
  options: FollowOptions,
): AsyncGenerator<JobEvent> {
  const { follow, signal } = options;
  let seq = options.afterSeq;
  let bell = new AbortController();
  // Armed before the first look, so that no commit falls between looking and waiting.
  const unsubscribe = store.subscribe('events', () => {
    bell.abort();
  });
  try {
    while (!signal.aborted) {
      bell = new AbortController();
      const events = await store.listEvents(id, seq, pageSize);
      for (const event of events) {
        seq = event.seq;
        yield event;
        if (event.type === 'job.finished') return;
      }
      if (events.length === pageSize) continue;
      if (!follow) return;
      await pause(safetyPollMs, AbortSignal.any([bell.signal, signal]));
    }
  } finally {
    unsubscribe();
  }
}
