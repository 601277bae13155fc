import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { AttemptOutcome, Lease } from '../domain/job.ts';
import type { JobSource } from '../domain/job-source.ts';
import type { Logger } from '../domain/logger.ts';
import type { FinishResult } from '../domain/store.ts';
import { hasErrno } from '../runtime/app-error.ts';
import { backoffMs } from '../runtime/backoff.ts';
import { deferred, pause } from '../runtime/wait.ts';
import { settledOrAborted } from './settled-or-aborted.ts';

const retryBackoff = { initialMs: 100, maxMs: 5_000, jitter: 0.3 };
/** How long an outcome waits in memory alone for what goes before it. */
const patienceMs = 250;

/** Only the envelope is checked: the outcome was typed when this code wrote it. */
const letterSchema = z.object({
  lease: z.object({ jobId: z.string(), attempt: z.number(), workerId: z.string() }),
  outcome: z.looseObject({ kind: z.string() }),
});

export interface DeliveryLimits {
  /** The worker leaves: what is on disk by then is somebody else's to send. */
  readonly leave: AbortSignal;
  /** Even what is nowhere but in memory cannot be waited for any longer. */
  readonly giveUp: AbortSignal;
  /** Told each time that the outcome could not be stored. */
  readonly onFailure?: (error: unknown) => void;
}

export interface Outbox {
  /**
   * Hands an outcome over once `before` has settled. What cannot be delivered now is written to disk and sent again until it is taken;
   * null where it was left on disk because the worker leaves, or given up.
   */
  deliver(letter: Letter, before: Promise<void>, until: DeliveryLimits): Promise<FinishResult | null>;
  /** Sends what other processes could not; what still fails stays for the next time. */
  resend(): Promise<void>;
}

/** A durable box for outcomes: a finished attempt is paid work, so a source that is away must not cost it. */
export function createOutbox(dir: string, source: Pick<JobSource, 'finish'>, logger: Logger): Outbox {
  const fileOf = (lease: Lease): string => join(dir, `${lease.jobId}-${lease.attempt}.json`);

  return {
    async deliver({ lease, outcome }, before, { leave, giveUp, onFailure }) {
      let stored = false;
      if (await isLate(before)) {
        stored = await writeLetter(dir, fileOf(lease), { lease, outcome }, logger);
        await settledOrAborted(before, stored ? leave : giveUp);
      }
      for (let failures = 0; ;) {
        try {
          const result = await source.finish(lease, outcome);
          if (stored) await rm(fileOf(lease), { force: true });
          return result;
        } catch (error) {
          failures += 1;
          onFailure?.(error);
          if (failures === 1)
            logger.warn({ err: error, jobId: lease.jobId }, 'The outcome could not be stored; trying again');
          stored ||= await writeLetter(dir, fileOf(lease), { lease, outcome }, logger);
          const signal = stored ? leave : giveUp;
          if (signal.aborted) return null;
          await pause(backoffMs(failures, retryBackoff, Math.random()), signal);
        }
      }
    },
    async resend() {
      for (const name of await letters(dir)) {
        const file = join(dir, name);
        const letter = await readLetter(file);
        if (letter === null) continue;
        if (letter === 'unreadable') {
          logger.warn({ file }, 'An unreadable outcome in the outbox was put aside');
          await rename(file, `${file}.unreadable`);
          continue;
        }
        try {
          const result = await source.finish(letter.lease, letter.outcome);
          logger.info(
            { jobId: letter.lease.jobId, result },
            'Delivered an outcome that another process could not',
          );
          await rm(file, { force: true });
        } catch (error) {
          logger.warn({ err: error, file }, 'An outcome stays in the outbox');
        }
      }
    },
  };
}

export interface Letter {
  readonly lease: Lease;
  readonly outcome: AttemptOutcome;
}

async function letters(dir: string): Promise<readonly string[]> {
  try {
    return (await readdir(dir)).filter((name) => name.endsWith('.json')).sort();
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return [];
    throw error;
  }
}

async function readLetter(file: string): Promise<Letter | 'unreadable' | null> {
  try {
    const parsed = letterSchema.safeParse(JSON.parse(await readFile(file, 'utf8')));
    return parsed.success ? (parsed.data as unknown as Letter) : 'unreadable';
  } catch (error) {
    if (error instanceof SyntaxError) return 'unreadable';
    // Another process has delivered it meanwhile.
    if (hasErrno(error, 'ENOENT')) return null;
    throw error;
  }
}

/** Whether the letter is on disk now. A full disk is logged, and the caller goes on from memory. */
async function writeLetter(dir: string, file: string, letter: Letter, logger: Logger): Promise<boolean> {
  const temporary = `${file}.tmp`;
  try {
    await mkdir(dir, { recursive: true });
    await using handle = await open(temporary, 'w', 0o600);
    await handle.writeFile(JSON.stringify(letter));
    await handle.sync();
    await rename(temporary, file);
    return true;
  } catch (error) {
    logger.warn(
      { err: error, file },
      'The outcome could not be written to the outbox either; it is kept in memory',
    );
    return false;
  }
}

async function isLate(work: Promise<void>): Promise<boolean> {
  const timer = deferred<boolean>();
  const timeout = setTimeout(() => {
    timer.resolve(true);
  }, patienceMs);
  try {
    return await Promise.race([work.then(() => false), timer.promise]);
  } finally {
    clearTimeout(timeout);
  }
}
