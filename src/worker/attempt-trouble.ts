import type { Job } from '../domain/job.ts';
import type { Logger } from '../domain/logger.ts';
import type { Runner } from '../domain/runner.ts';
import { AppError, hasErrno } from '../runtime/app-error.ts';

export interface AttemptTroubleDeps {
  readonly job: Job;
  readonly runner: Runner | undefined;
  readonly logger: Logger;
  /** Told once that what the attempt has to say cannot be stored; it goes on trying. */
  readonly onTrouble?: ((job: Job, error: AppError) => void) | undefined;
}

/** What is done while an attempt's reports or its outcome cannot be stored: it is said once, and where the disk is full the attempt's own space goes first. */
export interface AttemptTrouble {
  readonly failed: (error: unknown) => void;
  readonly stored: () => void;
  /** The attempt has ended: nothing of it uses its folders any more. */
  ended(): void;
}

export function createAttemptTrouble({ job, runner, logger, onTrouble }: AttemptTroubleDeps): AttemptTrouble {
  let said = false;
  let over = false;
  let noRoom = false;
  let givenBack = false;

  function giveBack(): void {
    if (givenBack || runner?.giveBack === undefined) return;
    givenBack = true;
    logger.info({}, 'The space of the attempt is given back, so that its outcome can be stored');
    runner.giveBack(job).catch((error: unknown) => {
      logger.warn({ err: error }, 'The space of the attempt could not be given back');
    });
  }

  return {
    failed(error) {
      noRoom = isNoRoom(error);
      if (!said) {
        said = true;
        logger.warn({ err: error }, 'What the attempt reports cannot be stored; trying again');
        if (error instanceof AppError) onTrouble?.(job, error);
      }
      if (over && noRoom) giveBack();
    },
    stored() {
      noRoom = false;
    },
    ended() {
      over = true;
      if (noRoom) giveBack();
    },
  };
}

function isNoRoom(error: unknown): boolean {
  if (error instanceof AppError) return error.code === 'store_full' || error.code === 'disk_full';
  return hasErrno(error, 'ENOSPC', 'EDQUOT');
}
