import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { ConnectionError } from 'fastify';
import { problem } from './problems.ts';

const causes: Readonly<
  Record<string, readonly [status: number, code: string, detail: string, hint: string]>
> = {
  HPE_HEADER_OVERFLOW: [431, 'headers_too_large', 'The headers of the request are too large.', 'Send fewer.'],
  ERR_HTTP_REQUEST_TIMEOUT: [
    408,
    'request_timeout',
    'The request did not arrive in time.',
    'Send it at once.',
  ],
};
const malformed = [400, 'malformed_request', 'That is no HTTP request.', 'Send HTTP/1.1.'] as const;

/** Answers what never became a request: the parser refused it, or it took too long. The connection ends. */
export function answerClientError(error: ConnectionError, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  if (socket.writable && socket.bytesWritten === 0) {
    const [status, code, detail, hint] = causes[error.code] ?? malformed;
    const body = JSON.stringify(problem(status, code, { detail, hint }));
    socket.write(
      `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\nContent-Type: application/problem+json\r\n` +
        `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
    );
  }
  socket.destroySoon();
}
