import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { pause } from '../../src/runtime/wait.ts';
import type { Gates } from './gates.ts';
import type { StreamPlan } from './responses-stream.ts';

const maxBatchChars = 262_144;

/** Sends the plan; frames between which nothing waits go out in one write. Rejects when the signal aborts before the last one. */
export async function sendStream(
  response: ServerResponse,
  plan: StreamPlan,
  { gates, signal }: { readonly gates: Gates; readonly signal: AbortSignal },
): Promise<void> {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
  response.flushHeaders();
  let batch = '';
  const flush = async (): Promise<void> => {
    if (batch === '') return;
    const roomLeft = response.write(batch);
    batch = '';
    if (!roomLeft) await once(response, 'drain', { signal });
  };
  for (const [at, { data, gate }] of plan.frames.entries()) {
    if (at > 0 && plan.gapMs > 0) {
      await flush();
      await pause(plan.gapMs, signal);
      signal.throwIfAborted();
    }
    if (gate !== undefined) {
      await flush();
      await gates.pass(gate, signal);
    }
    if (batch.length > maxBatchChars) await flush();
    batch += data;
  }
  if (plan.end === 'end') response.end(batch);
  else await breakOff(response, batch);
}

/** Breaks the connection once what was written has left this process: the client gets it, and then a cut. */
async function breakOff(response: ServerResponse, last: string): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  response.write(last, () => {
    resolve(undefined);
  });
  await promise;
  response.socket?.destroySoon();
}
