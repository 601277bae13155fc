import type { IncomingMessage } from 'node:http';
import { Transform, type Duplex, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from 'node:zlib';
import { AppError } from '../../runtime/app-error.ts';
import { errorCode, parseErrorObject, readErrorBody, sendError } from './error-body.ts';
import type { Exchange } from './exchange.ts';
import { describeFault } from './fault.ts';
import { clientHeaders } from './headers.ts';
import { limitReset } from './limit-reset.ts';
import { maskSecret } from './mask-secret.ts';
import { watchResponse, type ResponseEnding } from './response-watch.ts';

const errorBodyMs = 5_000;

/** Hands the provider's response on as it comes, and notes what it tells about usage and faults. Rejects where either side breaks off. */
export async function answerClient(
  exchange: Exchange,
  upstream: IncomingMessage,
  signal: AbortSignal,
): Promise<void> {
  const status = upstream.statusCode ?? 502;
  if (status >= 400) await answerError(exchange, upstream, status);
  else if (status >= 300) answerRedirect(exchange, upstream, status);
  else await answerStream(exchange, upstream, signal);
}

async function answerStream(
  exchange: Exchange,
  upstream: IncomingMessage,
  signal: AbortSignal,
): Promise<void> {
  const { res, attempt, endpoint, clock } = exchange;
  const isEvents = (upstream.headers['content-type'] ?? '').startsWith('text/event-stream');
  const endings: ResponseEnding[] = [];
  const watch = watchResponse((seen) => {
    endings.push(seen);
    if (seen.usage !== null) attempt.addUsage(seen.usage);
    noteEnding(exchange, seen);
  });
  const tap = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      done(null, chunk);
      if (isEvents) watch.feed(chunk);
    },
    flush(done) {
      if (isEvents) watch.end();
      done();
    },
  });
  const decoders = decodersFor(upstream);
  res.writeHead(upstream.statusCode ?? 200, bodyHeaders(exchange, upstream, decoders));
  res.flushHeaders();
  await pipeline([upstream, ...decoders, maskSecret(attempt.apiKey), tap, res], { signal });
  if (endpoint === '/responses' && isEvents && endings.length === 0) {
    const { origin } = exchange.url;
    attempt.addFault(describeFault({ kind: 'connection', code: 'stream_incomplete', origin, atMs: clock() }));
  }
}

/** A stream with status 200 may still end in a refusal. */
function noteEnding(exchange: Exchange, ending: ResponseEnding): void {
  const { attempt, url, clock } = exchange;
  const code = ending.type === 'response.failed' ? errorCode(ending.error) : null;
  const atMs = clock();
  const seen = { code, origin: url.origin, atMs };
  if (code === 'rate_limit_exceeded' || code === 'insufficient_quota') {
    const untilMs = limitReset({}, ending.error, atMs);
    attempt.addFault(describeFault({ kind: 'limit', status: 200, untilMs, ...seen }));
  } else if (code === 'server_error' || code === 'server_is_overloaded' || code === 'slow_down') {
    attempt.addFault(describeFault({ kind: 'upstream', status: 200, ...seen }));
  } else attempt.recover();
}

async function answerError(exchange: Exchange, upstream: IncomingMessage, status: number): Promise<void> {
  const { res, attempt } = exchange;
  const decoders = decodersFor(upstream);
  const masked = maskSecret(attempt.apiKey);
  const limit = setTimeout(() => upstream.destroy(), errorBodyMs);
  const piped = pipeline([upstream, ...decoders, masked]).catch(() => undefined);
  const body = await readErrorBody(masked).finally(() => {
    clearTimeout(limit);
    upstream.destroy();
  });
  await piped;
  noteStatus(exchange, upstream, { status, error: parseErrorObject(body) });
  const headers = bodyHeaders(exchange, upstream, decoders);
  res.writeHead(status, { ...headers, 'content-length': body.length });
  res.end(body);
}

function noteStatus(
  exchange: Exchange,
  upstream: IncomingMessage,
  seen: { readonly status: number; readonly error: unknown },
): void {
  const { attempt, endpoint, url, clock } = exchange;
  const { status } = seen;
  const atMs = clock();
  const fault = { status, code: errorCode(seen.error), origin: url.origin, atMs };
  // A key may well be allowed to answer prompts and not to list models: 403 there refuses the list, not the key.
  if (status === 401 || (status === 403 && endpoint === '/responses')) {
    attempt.addFault(describeFault({ kind: 'auth', ...fault }));
  } else if (status === 429) {
    const untilMs = limitReset(upstream.headers, seen.error, atMs);
    attempt.addFault(describeFault({ kind: 'limit', untilMs, ...fault }));
  } else if (status >= 500) attempt.addFault(describeFault({ kind: 'upstream', ...fault }));
  else if (endpoint === '/responses') attempt.recover();
}

/** Following it would hand the key, or the client's token, to an address nobody chose. */
function answerRedirect(exchange: Exchange, upstream: IncomingMessage, status: number): void {
  upstream.destroy();
  const { attempt, res, url, clock } = exchange;
  const facts = { status, code: null, origin: url.origin, atMs: clock() };
  const fault = describeFault({ kind: 'upstream', ...facts });
  attempt.addFault(fault);
  sendError(res, { status: 502, type: 'upstream_error', code: 'endpoint_redirects', message: fault.message });
}

function bodyHeaders(
  exchange: Exchange,
  upstream: IncomingMessage,
  decoders: readonly unknown[],
): ReturnType<typeof clientHeaders> {
  const headers = clientHeaders(upstream.headers, exchange.attempt.apiKey);
  if (decoders.length === 0) return headers;
  delete headers['content-encoding'];
  delete headers['content-length'];
  return headers;
}

/** Some gateways compress although they were asked not to. */
function decodersFor(upstream: IncomingMessage): (Duplex & Readable)[] {
  const encoding = (upstream.headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  if (encoding === 'identity' || encoding === '') return [];
  if (encoding === 'gzip' || encoding === 'x-gzip') return [createGunzip()];
  if (encoding === 'br') return [createBrotliDecompress()];
  if (encoding === 'zstd') return [createZstdDecompress()];
  if (encoding === 'deflate') return [createInflate()];
  upstream.destroy();
  throw new AppError(
    'infrastructure',
    'encoding_unknown',
    'The model endpoint answers in an unknown encoding.',
  );
}
