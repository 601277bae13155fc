import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { ConnectionError } from 'fastify';
import { problem } from './problems.ts';

type Cause = readonly [status: number, code: string, detail: string, hint: string];

const causes: Readonly<Record<string, Cause>> = {
  HPE_HEADER_OVERFLOW: [431, 'headers_too_large', 'The headers of the request are too large.', 'Send fewer.'],
  ERR_HTTP_REQUEST_TIMEOUT: [
    408,
    'request_timeout',
    'The request did not arrive in time.',
    'Send it at once.',
  ],
};
const malformed = [400, 'malformed_request', 'That is no HTTP request.', 'Send HTTP/1.1.'] as const;

/** Such an error in the words of a surface: its headers, a line each, and its body. */
export type ClientErrorForm = (cause: Cause) => {
  readonly headers: readonly string[];
  readonly body: object;
};

/** Answers what never became a request: the parser refused it, or it took too long. The connection ends. */
export function answerClientError(
  error: ConnectionError,
  socket: Socket,
  form: ClientErrorForm = asProblem,
): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  if (socket.writable && socket.bytesWritten === 0) {
    const cause: Cause = causes[error.code] ?? malformed;
    const said = form(cause);
    const body = JSON.stringify(said.body);
    const head = [
      `HTTP/1.1 ${cause[0]} ${STATUS_CODES[cause[0]] ?? ''}`,
      ...said.headers,
      `Content-Length: ${Buffer.byteLength(body)}`,
      'Connection: close',
    ];
    socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
  }
  socket.destroySoon();
}

const asProblem: ClientErrorForm = ([status, code, detail, hint]) => ({
  headers: ['Content-Type: application/problem+json'],
  body: problem(status, code, { detail, hint }),
});
