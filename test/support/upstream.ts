import { once } from 'node:events';
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import { text } from 'node:stream/consumers';
import type { Usage } from '../../src/contract/job.ts';

/** A provider on loopback that answers as `handler` says and keeps the headers of what it was asked. */
export interface TestUpstream extends AsyncDisposable {
  readonly baseUrl: string;
  readonly requests: IncomingMessage[];
}

export async function startUpstream(
  handler: (req: IncomingMessage, res: ServerResponse) => void | Promise<void>,
  create: (listener: RequestListener) => Server = createServer,
): Promise<TestUpstream> {
  const requests: IncomingMessage[] = [];
  const server = create((req, res) => {
    requests.push(req);
    void handler(req, res);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  return {
    baseUrl: `http://127.0.0.1:${String(address.port)}/v1`,
    requests,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** The event that ends a response and says what it used. */
export function completedEvent(usage: Usage, output: readonly unknown[] = []): string {
  const { inputTokens, cachedInputTokens, outputTokens } = usage;
  const response = {
    id: 'resp_1',
    output,
    usage: {
      input_tokens: inputTokens,
      input_tokens_details: { cached_tokens: cachedInputTokens },
      output_tokens: outputTokens,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: inputTokens + outputTokens,
    },
  };
  return `event: response.completed\ndata: ${JSON.stringify({ type: 'response.completed', response })}\n\n`;
}

export function sendEvents(res: ServerResponse, ...events: readonly string[]): void {
  res.writeHead(200, { 'content-type': 'text/event-stream' });
  res.end(events.join(''));
}

export function sendJson(res: ServerResponse, status: number, body: unknown): void {
  res.writeHead(status, { 'content-type': 'application/json' });
  res.end(JSON.stringify(body));
}

/** The whole body of a request, so that the answer comes after it. */
export async function readBody(req: IncomingMessage): Promise<string> {
  return await text(req);
}
