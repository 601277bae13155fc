import { describe, expect, test } from 'vitest';
import { workerSchema } from '../../src/contract/worker.ts';
import { aWorker } from '../support/test-store.ts';
import { openTestServer } from '../support/http-server.ts';

describe('health', () => {
  test('a server with its store is alive, ready and well', async () => {
    await using t = await openTestServer();
    expect((await t.server.inject('/livez')).json()).toEqual({ status: 'ok', reason: 'alive' });
    expect((await t.server.inject('/readyz')).json()).toEqual({ status: 'ok', reason: 'ready' });
    expect((await t.server.inject('/healthz')).json()).toMatchObject({ ok: true, version: '1.2.3' });
  });

  test('without its store it is alive but not ready', async () => {
    await using t = await openTestServer();
    await t.services.store[Symbol.asyncDispose]();
    expect((await t.server.inject('/livez')).statusCode).toBe(200);
    const ready = await t.server.inject('/readyz');
    expect([ready.statusCode, ready.json()]).toEqual([
      503,
      { status: 'unavailable', reason: 'store_closed' },
    ]);
    const health = await t.server.inject('/healthz');
    expect(health.statusCode).toBe(200);
    expect(health.json()).toMatchObject({ ok: false, readiness: { reason: 'store_closed' } });
  });
});

test('workers are listed with what can be seen of them', async () => {
  await using t = await openTestServer();
  await t.opened.store.registerWorker(aWorker('w1'));
  const { items } = (await t.server.inject('/api/workers')).json<{ items: unknown[] }>();
  expect(items.map((item) => workerSchema.parse(item))).toMatchObject([
    { id: 'w1', types: ['noop'], concurrency: 8 },
  ]);
});

interface Operation {
  readonly operationId?: string;
  readonly summary?: string;
  readonly responses: Readonly<
    Record<string, { description: string; content?: Record<string, { schema: unknown }> }>
  >;
}

describe('/openapi.json', () => {
  test('describes every route with its answers and errors, and refers to nothing that is not there', async () => {
    await using t = await openTestServer();
    const answer = await t.server.inject('/openapi.json');
    expect(answer.headers['content-type']).toMatch(/^application\/json/);
    const document = answer.json<{
      openapi: string;
      info: object;
      paths: Record<string, Record<string, Operation>>;
      components: { schemas: Record<string, unknown> };
    }>();
    expect(document).toMatchObject({ openapi: '3.1.0', info: { title: 'Capstan', version: '1.2.3' } });
    const routes = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(routes.sort()).toEqual([
      'DELETE /api/jobs/{id}',
      'GET /api/jobs',
      'GET /api/jobs/{id}',
      'GET /api/jobs/{id}/artifacts/{name}',
      'GET /api/jobs/{id}/events',
      'GET /api/workers',
      'GET /healthz',
      'GET /livez',
      'GET /readyz',
      'POST /api/jobs',
      'POST /api/jobs/{id}/cancel',
      'POST /api/jobs/{id}/retry',
    ]);
    const operations = Object.values(document.paths).flatMap((methods) => Object.values(methods));
    expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(operations.length);
    for (const { summary, responses } of operations) {
      expect(summary).toBeTruthy();
      for (const [status, { description, content }] of Object.entries(responses)) {
        expect(description).not.toBe('Default Response');
        if (Number(status) >= 400 && status !== '503')
          expect(Object.keys(content ?? {})).toEqual(['application/problem+json']);
      }
    }
    for (const [, name = ''] of answer.body.matchAll(/"#\/components\/schemas\/([^"]+)"/g))
      expect(document.components.schemas).toHaveProperty(name);
    expect(Object.keys(document.components.schemas)).toEqual(
      expect.arrayContaining(['CodexJobInput', 'Job', 'JobEvent', 'Problem']),
    );
  });

  test('knows all routes that the server has', async () => {
    await using t = await openTestServer();
    const { paths } = (await t.server.inject('/openapi.json')).json<{ paths: Record<string, object> }>();
    for (const path of Object.keys(paths)) {
      const answer = await t.server.inject(path.replace('{id}', 'x').replace('{name}', 'x'));
      expect([path, answer.json<{ code?: string }>().code]).not.toEqual([path, 'internal_error']);
    }
  });

  test('/docs shows it with files of its own alone', async () => {
    await using t = await openTestServer();
    const page = await t.server.inject('/docs/');
    expect([page.statusCode, page.headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
    expect(page.headers['content-security-policy']).toContain("script-src 'self'");
    for (const [, path = ''] of page.body.matchAll(/(?:src|href)="([^"]+)"/g)) {
      expect(path).not.toMatch(/^https?:|^\/\//);
      expect((await t.server.inject(new URL(path, 'http://x/docs/').pathname)).statusCode).toBe(200);
    }
  });
});
