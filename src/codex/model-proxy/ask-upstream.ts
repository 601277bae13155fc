import { request as httpRequest, type ClientRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { Transform } from 'node:stream';
import { AppError } from '../../runtime/app-error.ts';
import { deferred } from '../../runtime/wait.ts';
import type { Exchange } from './exchange.ts';
import { upstreamHeaders } from './headers.ts';

/**
 * Streams the client's request to the provider and resolves with its response as soon as that begins.
 * Rejects with AppError `request_too_large`, or with Node's error where there was no connection or no answer in time.
 */
export async function askUpstream(exchange: Exchange, signal: AbortSignal): Promise<IncomingMessage> {
  const { req, url, attempt, limits, agents } = exchange;
  const options = {
    method: req.method ?? 'GET',
    headers: upstreamHeaders(req.headers, attempt.apiKey),
    signal,
    // Ends what a proxy on the way does not answer; the request's own limit is set below.
    timeout: limits.connectMs,
  };
  const out =
    url.protocol === 'https:'
      ? httpsRequest(url, { ...options, agent: agents.https })
      : httpRequest(url, { ...options, agent: agents.http });
  const response = deferred<IncomingMessage>();
  out.once('response', response.resolve);
  // Stays for the exchange's life: an error after the response began also ends that response, which is where it is handled.
  out.on('error', response.reject);
  // Before there is a socket, neither an abort nor `destroy` is told.
  const onAbort = (): void => {
    response.reject(signal.reason);
  };
  signal.addEventListener('abort', onAbort, { once: true });
  out.once('close', () => {
    signal.removeEventListener('abort', onAbort);
  });
  limitConnectTime(out, { protocol: url.protocol, connectMs: limits.connectMs }, response.reject);
  out.setTimeout(limits.idleMs, () => out.destroy(timeoutError('The provider was silent for too long.')));
  // `pipe`, not `pipeline`: when the provider fails, the client's socket must live on for the answer.
  const counted = limitBytes(limits.maxBodyBytes);
  counted.once('error', (error) => {
    response.reject(error);
    out.destroy();
  });
  req.once('error', () => out.destroy());
  req.pipe(counted).pipe(out);
  return await response.promise;
}

interface Connecting {
  readonly protocol: string;
  readonly connectMs: number;
}

function limitConnectTime(
  out: ClientRequest,
  { protocol, connectMs }: Connecting,
  onLate: (error: Error) => void,
): void {
  // From the start: a proxy on the way makes its tunnel before there is a socket.
  const timer = setTimeout(() => {
    const late = timeoutError('No connection in time.');
    out.destroy(late);
    onLate(late);
  }, connectMs);
  const stop = (): void => {
    clearTimeout(timer);
  };
  out.once('close', stop);
  out.once('socket', (socket) => {
    if (!socket.connecting) {
      stop();
      return;
    }
    socket.once(protocol === 'https:' ? 'secureConnect' : 'connect', stop);
    socket.once('close', stop);
  });
}

function timeoutError(message: string): Error {
  return Object.assign(new Error(message), { code: 'ETIMEDOUT' });
}

function limitBytes(max: number): Transform {
  let size = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      size += chunk.length;
      if (size <= max) done(null, chunk);
      else done(tooLarge(max));
    },
  });
}

export function tooLarge(max: number): AppError {
  return new AppError(
    'agent',
    'request_too_large',
    `The request is larger than ${String(max)} bytes, the model proxy's limit.`,
  );
}
