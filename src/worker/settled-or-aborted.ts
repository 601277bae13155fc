import { deferred } from '../runtime/wait.ts';

/** Leaves no listener on a signal that outlives thousands of attempts: each would make adding the next one slower. */
export async function settledOrAborted(work: Promise<void>, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const aborted = deferred<void>();
  const onAbort = (): void => {
    aborted.resolve();
  };
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
