import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { pause } from '../../src/runtime/wait.ts';
import type { Gates } from './gates.ts';
import type { StreamPlan } from './responses-stream.ts';

/** Sends the plan; frames between which nothing waits go out in one write. Rejects when the signal aborts. */
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
  for (const { data, gate } of plan.frames) {
    if (gate !== undefined) {
      await flush();
      await gates.pass(gate, signal);
    }
    batch += data;
    if (plan.gapMs > 0) {
      await flush();
      await pause(plan.gapMs, signal);
      signal.throwIfAborted();
    } else if (batch.length > 262_144) {
      await flush();
    }
  }
  await flush();
  if (plan.end === 'end') response.end();
  else await breakOff(response);
}

/** Breaks the connection once what was written has left this process: the client gets it, and then a cut. */
async function breakOff(response: ServerResponse): Promise<void> {
  await new Promise<void>((resolve) => {
    response.write('', () => {
      resolve();
    });
  });
  response.socket?.destroySoon();
}
