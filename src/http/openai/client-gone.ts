import type { FastifyReply } from 'fastify';
import { AppError } from '../../runtime/app-error.ts';

/** Aborts, with `request_aborted`, when the client goes away before its answer is complete. To be called before anything is awaited. */
export function clientGone({ raw }: FastifyReply): AbortController {
  const gone = new AbortController();
  raw.once('close', () => {
    if (!raw.writableFinished)
      gone.abort(new AppError('cancelled', 'request_aborted', 'The client went away.'));
  });
  return gone;
}
