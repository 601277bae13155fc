import type { ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import { field } from '../field.ts';

/** An error in the shape OpenAI's clients read. */
export interface LocalError {
  readonly status: number;
  readonly type: string;
  readonly code: string;
  readonly message: string;
}

export function sendError(res: ServerResponse, error: LocalError): void {
  if (res.headersSent) {
    res.destroy();
    return;
  }
  const { status, type, code, message } = error;
  const body = JSON.stringify({ error: { message, type, param: null, code } });
  res.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) });
  res.end(body);
}

const maxErrorBytes = 256 * 1024;

/** Reads an error body up to a size limit. A body that breaks off (or is destroyed by who waits for it) is what came of it. */
export async function readErrorBody(body: Readable): Promise<Buffer> {
  const parts: Buffer[] = [];
  let size = 0;
  try {
    for await (const part of body) {
      if (!Buffer.isBuffer(part)) continue;
      parts.push(part);
      size += part.length;
      if (size >= maxErrorBytes) break;
    }
  } catch (error) {
    // The status alone says what matters; only a fault of ours is worth more than that.
    if (!(error instanceof Error && 'code' in error)) throw error;
  }
  return Buffer.concat(parts).subarray(0, maxErrorBytes);
}

/** The `error` object of an OpenAI-style body, undefined where there is none. */
export function parseErrorObject(body: Buffer): unknown {
  try {
    const parsed: unknown = JSON.parse(body.toString('utf8'));
    return field(parsed, 'error');
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** The provider's short code, where it is one: text of any other shape could be anything. */
export function errorCode(error: unknown): string | null {
  for (const name of ['code', 'type']) {
    const value = field(error, name);
    if (typeof value === 'string' && /^[a-z][a-z0-9_.]{0,63}$/i.test(value)) return value;
  }
  return null;
}
