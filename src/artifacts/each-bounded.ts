export interface EachOptions {
  readonly limit: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Calls `work` for every item, at most `limit` at once. After a failure or an abort nothing new starts, and the promise
 * settles only when all that had started is over: what the caller then cleans up is no longer written to.
 */
export async function eachBounded<T>(
  items: readonly T[],
  options: EachOptions,
  work: (item: T, index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  let failed = false;
  const lane = async (): Promise<void> => {
    while (!failed && next < items.length) {
      try {
        options.signal?.throwIfAborted();
        const index = next++;
        await work(items[index] as T, index);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const lanes = Array.from({ length: Math.min(options.limit, items.length) }, lane);
  const results = await Promise.allSettled(lanes);
  for (const result of results) if (result.status === 'rejected') throw result.reason;
  options.signal?.throwIfAborted();
}
