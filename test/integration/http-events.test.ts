import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { describe, expect, test } from 'vitest';
import { jobEventSchema, type JobEvent } from '../../src/contract/event.ts';
import type { ClaimedJob } from '../../src/domain/job.ts';
import { finish, openTestServer, type TestServer } from '../support/http-server.ts';

interface Frame {
  readonly id: number;
  readonly event: string;
  readonly data: JobEvent;
}

/** A stream as a plain client reads it, byte by byte as it comes. */
async function open(url: string, headers: Readonly<Record<string, string>> = {}): Promise<IncomingMessage> {
  const [response] = (await once(get(url, { headers, agent: false }), 'response')) as [IncomingMessage];
  response.setEncoding('utf8');
  return response;
}

async function* frames(response: AsyncIterable<string>): AsyncGenerator<Frame> {
  let held = '';
  for await (const chunk of response) {
    const parts = (held + chunk).split('\n\n');
    held = parts.pop() ?? '';
    for (const part of parts) {
      const field = (name: string): string => new RegExp(`(?:^|\\n)${name}: ([^\\n]*)`).exec(part)?.[1] ?? '';
      if (part.startsWith(':')) continue;
      yield {
        id: Number(field('id')),
        event: field('event'),
        data: jobEventSchema.parse(JSON.parse(field('data'))),
      };
    }
  }
  if (held !== '') throw new Error(`the stream ended within a frame: ${held}`);
}

async function say(t: TestServer, { lease }: ClaimedJob, ...texts: readonly string[]): Promise<void> {
  const events = texts.map((text, index) => ({ type: 'agent.message' as const, itemId: `m${index}`, text }));
  await t.opened.store.reportProgress(lease, { events });
}

async function connections(t: TestServer): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  t.server.server.getConnections((error, count) => {
    if (error === null) resolve(count);
    else reject(error);
  });
  return promise;
}

describe('GET /api/jobs/{id}/events', () => {
  test('gives each event as it happens, and ends after job.finished', async () => {
    await using t = await openTestServer();
    const url = await t.listen();
    const id = await t.submit();
    const response = await open(`${url}/api/jobs/${id}/events`);
    expect(response.statusCode).toBe(200);
    expect(response.headers).toMatchObject({
      'content-type': 'text/event-stream',
      'cache-control': 'no-cache, no-transform',
      'x-content-type-options': 'nosniff',
    });
    const stream = frames(response);
    const next = async (): Promise<Frame> => {
      const { value } = await stream.next();
      return value as Frame;
    };
    expect(await next()).toMatchObject({ id: 1, event: 'job.accepted', data: { seq: 1, jobId: id } });
    const claimed = await t.claim();
    expect(await next()).toMatchObject({ id: 2, event: 'job.started' });
    await say(t, claimed, 'hello\n\nid: 99\u2028');
    expect(await next()).toMatchObject({
      id: 3,
      event: 'agent.message',
      data: { text: 'hello\n\nid: 99\u2028' },
    });
    await finish(t, claimed);
    expect(await next()).toMatchObject({
      id: 4,
      event: 'job.finished',
      data: { job: { state: 'succeeded' } },
    });
    expect(await stream.next()).toEqual({ done: true, value: undefined });
  });

  test('goes on behind Last-Event-ID, or `after`, without a gap or a double', async () => {
    await using t = await openTestServer();
    const url = await t.listen();
    const id = await t.submit();
    const claimed = await t.claim();
    await say(t, claimed, ...Array.from({ length: 1200 }, (_, count) => String(count)));
    const seen: number[] = [];
    // Each time the client leaves after some events, wherever in the stream that is.
    for (const take of [1, 7, 499, 500, 100]) {
      const headers = seen.length === 0 ? {} : { 'last-event-id': String(seen.at(-1)) };
      const response = await open(`${url}/api/jobs/${id}/events`, headers);
      let left = take;
      for await (const { id: seq } of frames(response)) {
        seen.push(seq);
        left -= 1;
        if (left === 0) break;
      }
      response.destroy();
    }
    await finish(t, claimed);
    for await (const { id: seq } of frames(await open(`${url}/api/jobs/${id}/events?after=${seen.at(-1)}`)))
      seen.push(seq);
    expect(seen).toEqual(Array.from({ length: 1203 }, (_, index) => index + 1));
  });

  test('the header counts more than the query; one that is no number does not count', async () => {
    await using t = await openTestServer();
    const id = await t.submit();
    await finish(t, await t.claim());
    const first = async (query: string, header?: string): Promise<string | undefined> => {
      const headers = header === undefined ? {} : { 'last-event-id': header };
      const { body } = await t.server.inject({ url: `/api/jobs/${id}/events${query}`, headers });
      return /^id: (\d+)/.exec(body)?.[1];
    };
    expect(await first('', '1')).toBe('2');
    expect(await first('?after=1', '2')).toBe('3');
    expect(await first('?after=1', 'junk')).toBe('2');
    expect(await first('?after=1', '-5')).toBe('2');
    expect((await t.server.inject(`/api/jobs/${id}/events?after=-1`)).statusCode).toBe(400);
  });

  test('tells who knows all of an ended job not to come again', async () => {
    await using t = await openTestServer();
    const id = await t.submit();
    await finish(t, await t.claim());
    for (const after of [3, 4, 1000]) {
      const answer = await t.server.inject(`/api/jobs/${id}/events?after=${after}`);
      expect([answer.statusCode, answer.body]).toEqual([204, '']);
    }
  });

  test('with follow=false it gives what there is and ends', async () => {
    await using t = await openTestServer();
    const id = await t.submit();
    const { body } = await t.server.inject(`/api/jobs/${id}/events?follow=false`);
    expect(body.match(/^event: .*$/gm)).toEqual(['event: job.accepted']);
  });

  test('HEAD opens no stream', async () => {
    await using t = await openTestServer();
    const id = await t.submit();
    const answer = await t.server.inject({ method: 'HEAD', url: `/api/jobs/${id}/events` });
    expect([answer.statusCode, answer.headers['content-type'], answer.body]).toEqual([
      200,
      'text/event-stream',
      '',
    ]);
  });

  test('a silent stream says that it lives', async () => {
    await using t = await openTestServer({ keepAliveMs: 20 });
    const url = await t.listen();
    const response = await open(`${url}/api/jobs/${await t.submit()}/events`);
    let text = '';
    for await (const chunk of response as AsyncIterable<string>) {
      text += chunk;
      if (text.split(': keep-alive\n\n').length > 3) break;
    }
    expect(text).toMatch(/^id: 1\n/);
  });

  test('ends when the server stops; what was running is followed on elsewhere', async () => {
    await using t = await openTestServer();
    const url = await t.listen();
    const id = await t.submit();
    const response = await open(`${url}/api/jobs/${id}/events`);
    const seen: string[] = [];
    for await (const { event } of frames(response)) {
      seen.push(event);
      t.stop();
    }
    expect(seen).toEqual(['job.accepted']);
    const ready = await t.server.inject('/readyz');
    expect([ready.statusCode, ready.json()]).toEqual([
      503,
      { status: 'unavailable', reason: 'shutdown_in_progress' },
    ]);
    expect((await t.server.inject('/livez')).statusCode).toBe(200);
    const refused = await t.server.inject({
      method: 'POST',
      url: '/api/jobs',
      payload: { type: 'noop', input: { text: '' } },
    });
    expect([refused.statusCode, refused.json<{ code: string }>().code]).toEqual([503, 'server_stopping']);
  });

  test('closing the server ends a stream that nobody told to stop', async () => {
    await using t = await openTestServer();
    const url = await t.listen();
    const response = await open(`${url}/api/jobs/${await t.submit()}/events`);
    await once(response, 'data');
    const ended = Promise.withResolvers<undefined>();
    response.on('error', () => {});
    response.once('close', () => {
      ended.resolve(undefined);
    });
    await t.server.close();
    await ended.promise;
  });

  test('a client that leaves takes all that was held for it along', async () => {
    await using t = await openTestServer();
    const url = await t.listen();
    const id = await t.submit();
    let listeners = 0;
    let none = Promise.withResolvers<undefined>();
    const { store } = t.opened;
    const subscribe = store.subscribe.bind(store);
    store.subscribe = (topic, listener) => {
      const stop = subscribe(topic, listener);
      listeners += 1;
      return () => {
        stop();
        listeners -= 1;
        if (listeners === 0) none.resolve(undefined);
      };
    };
    const responses = await Promise.all(
      Array.from({ length: 20 }, () => open(`${url}/api/jobs/${id}/events`)),
    );
    await Promise.all(responses.map((response) => once(response, 'data')));
    expect(listeners).toBe(20);
    none = Promise.withResolvers<undefined>();
    for (const response of responses) response.destroy();
    await none.promise;
    expect(await connections(t)).toBe(0);
  });

  test('a reader that takes nothing costs no more than a page of events', async () => {
    await using t = await openTestServer();
    const url = await t.listen();
    const id = await t.submit();
    const claimed = await t.claim();
    const text = 'x'.repeat(20_000);
    for (let round = 0; round < 30; round += 1)
      await say(t, claimed, ...Array.from({ length: 100 }, () => text));
    const { store } = t.opened;
    const listEvents = store.listEvents.bind(store);
    let given = 0;
    store.listEvents = async (...args) => {
      const page = await listEvents(...args);
      given += page.length;
      return page;
    };
    const response = await open(`${url}/api/jobs/${id}/events`);
    await once(response, 'readable');
    // The reader stands still from here; the server's own answers go on.
    for (let round = 0; round < 50; round += 1)
      expect((await t.server.inject('/api/jobs')).statusCode).toBe(200);
    expect(given).toBeLessThanOrEqual(1000);
    const sockets = await connections(t);
    expect(sockets).toBe(1);
    // Then it takes the rest, and nothing is missing.
    await finish(t, claimed);
    let count = 0;
    for await (const { id: seq } of frames(response)) {
      count += 1;
      expect(seq).toBe(count);
    }
    expect(count).toBe(3003);
  });
});
