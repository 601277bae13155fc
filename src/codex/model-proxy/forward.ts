import { AppError } from '../../runtime/app-error.ts';
import { answerClient } from './answer-client.ts';
import { askUpstream, tooLarge } from './ask-upstream.ts';
import { sendError } from './error-body.ts';
import type { Exchange } from './exchange.ts';
import { describeFault } from './fault.ts';

/** Carries one request to the provider and its response back; whatever goes wrong is answered and noted, never thrown. */
export async function forward(exchange: Exchange): Promise<void> {
  const { req, res, attempt, limits } = exchange;
  const abort = attempt.begin();
  const onClose = (): void => {
    // With an error it was closed because the provider broke off, which is that error's to tell.
    if (res.errored === null) abort.abort(new AppError('cancelled', 'client_gone', 'The client went away.'));
  };
  res.once('close', onClose);
  try {
    if (Number(req.headers['content-length'] ?? 0) > limits.maxBodyBytes) throw tooLarge(limits.maxBodyBytes);
    const upstream = await askUpstream(exchange, abort.signal);
    await answerClient(exchange, upstream, abort.signal);
  } catch (error) {
    if (abort.signal.aborted) res.destroy();
    else answerFailure(exchange, error);
  } finally {
    res.off('close', onClose);
    attempt.end(abort);
  }
}

function answerFailure(exchange: Exchange, error: unknown): void {
  const { req, res, attempt, url, clock } = exchange;
  req.unpipe();
  req.resume();
  if (error instanceof AppError && error.code === 'request_too_large') {
    const { code, message } = error;
    sendError(res, { status: 413, type: 'invalid_request_error', code, message });
    return;
  }
  const code = causeCode(error);
  const fault = describeFault({ kind: 'connection', code, origin: url.origin, atMs: clock() });
  attempt.addFault(fault);
  sendError(res, {
    status: 502,
    type: 'upstream_error',
    code: 'upstream_unreachable',
    message: fault.message,
  });
}

/** Node's errno or TLS code. Never its message, which may quote what was sent. */
function causeCode(error: unknown): string {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code;
  return 'unknown';
}
