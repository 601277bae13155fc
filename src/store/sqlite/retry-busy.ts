import { backoffMs } from '../../runtime/backoff.ts';
import { pause } from '../../runtime/wait.ts';
import { isBusy, toStoreError } from './store-error.ts';

const retryBackoff = { initialMs: 1, maxMs: 40, jitter: 0.5 };

/**
 * Runs `read`, and again while another process has the database locked (a recovery after a crash, a first start), up to `limitMs`.
 * Rejects with the codes of `toStoreError`.
 */
export async function retryBusy<T>(read: () => T, where: { dbPath: string; limitMs: number }): Promise<T> {
  const deadlineMs = performance.now() + where.limitMs;
  for (let tries = 1; ; tries += 1) {
    try {
      return read();
    } catch (error) {
      if (!isBusy(error) || performance.now() >= deadlineMs) throw toStoreError(error, where.dbPath);
      await pause(backoffMs(tries, retryBackoff, Math.random()), AbortSignal.timeout(where.limitMs));
    }
  }
}
