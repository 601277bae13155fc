/** A client of the gateway in a process of its own, so that what it uses counts on no side: streamed chats, so many at once. */
import { Agent, request } from 'node:http';
import { answer } from '../support/answer.js';

export interface Chats {
  readonly url: string;
  readonly body: string;
  readonly count: number;
  readonly concurrency: number;
}

/** Milliseconds to the first piece and to the end. */
export interface Timing {
  readonly first: number;
  readonly end: number;
}

const agent = new Agent({ keepAlive: true });

async function chat({ url, body, count, concurrency }: Chats): Promise<readonly Timing[]> {
  const timings: Timing[] = [];
  let left = count;
  const one = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      timings.push(await ask(url, body));
    }
  };
  await Promise.all(Array.from({ length: concurrency }, one));
  return timings;
}

async function ask(url: string, body: string): Promise<Timing> {
  const { promise, resolve, reject } = Promise.withResolvers<Timing>();
  const began = performance.now();
  let first = 0;
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
  const sent = request(`${url}/v1/chat/completions`, { method: 'POST', agent, headers }, (response) => {
    if (response.statusCode !== 200) reject(new Error(`status ${String(response.statusCode)}`));
    response.on('data', () => {
      if (first === 0) first = performance.now() - began;
    });
    response.on('end', () => {
      resolve({ first, end: performance.now() - began });
    });
  });
  sent.on('error', reject);
  sent.end(body);
  return promise;
}

answer({ chat }, () => {
  agent.destroy();
});
