import { AppError } from '../../runtime/app-error.ts';
import { someoneServes } from './list-workers.ts';
import type { Capstan } from '../open-capstan.ts';
import { startCodexWorker } from './start-codex-worker.ts';
import type { LocalWorker } from './start-local-worker.ts';

/** The worker that a command has for its own job; disposing it lets it drain. */
export interface OwnWorker extends AsyncDisposable {
  /** Starts it if no worker for the job is alive. */
  ensure(): Promise<void>;
  /** Hands back what it works on, and resolves when nothing of it is left. */
  leave(): Promise<void>;
  /** Rejects when it had to stop by a fault. */
  readonly failed: Promise<never>;
}

/** In this process. It finishes what it took, however long that takes, unless `interrupted` aborts. */
export function localWorker(
  capstan: Capstan,
  interrupted: AbortSignal,
  note: (text: string) => void,
): OwnWorker {
  const drain = new AbortController();
  const hurry = new AbortController();
  const failure = Promise.withResolvers<never>();
  failure.promise.catch(() => undefined);
  let starting: Promise<LocalWorker> | null = null;

  return {
    failed: failure.promise,
    async ensure() {
      if (starting !== null || (await someoneServes(capstan, 'codex'))) return;
      starting = startCodexWorker(
        capstan,
        { drainGraceMs: Infinity, onTrouble: (_job, error) => note(sayTrouble(error)) },
        { drain: drain.signal, hurry: hurry.signal },
      );
      const worker = await starting;
      worker.stopped.catch(failure.reject);
    },
    async leave() {
      drain.abort(commandEnded());
      hurry.abort();
      const worker = await starting?.catch(() => null);
      await worker?.stopped.catch(() => undefined);
    },
    async [Symbol.asyncDispose]() {
      drain.abort(commandEnded());
      const worker = await starting?.catch(() => null);
      if (worker === undefined || worker === null) return;
      const leave = (): void => {
        hurry.abort();
      };
      if (interrupted.aborted) leave();
      else interrupted.addEventListener('abort', leave, { once: true });
      const waiting = setTimeout(() => {
        note('Finishing jobs that an earlier run left; press Ctrl-C to leave them queued.');
      }, 1_000);
      await worker.stopped.catch(() => undefined);
      clearTimeout(waiting);
      interrupted.removeEventListener('abort', leave);
    },
  };
}

const commandEnded = (): AppError =>
  new AppError('infrastructure', 'worker_draining', 'The command that started this worker has ended.');

function sayTrouble({ message, hint }: AppError): string {
  return `What the job reports cannot be stored: ${message} ${hint} It is tried again all the while; Ctrl-C stops the job.`;
}
