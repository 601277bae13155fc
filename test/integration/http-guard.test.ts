import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { problemSchema } from '../../src/contract/problem.ts';
import { assertBindAllowed } from '../../src/http/guard.ts';
import { listen } from '../../src/http/listen.ts';
import { openTestServer } from '../support/http-server.ts';
import { fc, runs } from '../support/properties.ts';

describe('Host', () => {
  test.each(['localhost', 'LocalHost:8081', '127.0.0.1:1', '127.0.0.9', '[::1]:8081', 'capstan.example:443'])(
    '%s is a name of ours',
    async (host) => {
      await using t = await openTestServer({ guard: { allowedHosts: ['Capstan.example'] } });
      expect((await t.server.inject({ url: '/api/jobs', headers: { host } })).statusCode).toBe(200);
    },
  );

  test.each([
    'evil.example',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    '10.0.0.1:8081',
    '[::2]',
    '0.0.0.0',
    '[',
    '127.evil',
  ])('"%s" is refused, as a rebound name would be', async (host) => {
    await using t = await openTestServer();
    for (const url of ['/api/jobs', '/healthz', '/docs', '/nothing']) {
      const answer = await t.server.inject({ url, headers: { host } });
      expect(answer.statusCode).toBe(403);
      expect(problemSchema.parse(answer.json()).code).toBe('forbidden_host');
    }
  });

  test('with a key, an address is enough: that is how probes call', async () => {
    await using t = await openTestServer({ guard: { host: '0.0.0.0', apiKey: 'k' } });
    for (const host of ['10.1.2.3:8081', '[fe80::1]:8081'])
      expect((await t.server.inject({ url: '/readyz', headers: { host } })).statusCode).toBe(200);
    const answer = await t.server.inject({ url: '/readyz', headers: { host: 'evil.example' } });
    expect(answer.statusCode).toBe(403);
  });
});

describe('Origin', () => {
  const host = 'localhost:8081';

  test.each(['http://localhost:8081'])('the own one, %s, may call', async (origin) => {
    await using t = await openTestServer();
    const answer = await t.server.inject({ url: '/api/jobs', headers: { host, origin } });
    expect(answer.statusCode).toBe(200);
    expect(answer.headers).not.toHaveProperty('access-control-allow-origin');
  });

  test.each([
    'http://evil.example',
    'null',
    'http://localhost:3000',
    'http://localhost',
    'https://localhost:8081',
    '',
  ])('"%s" is refused', async (origin) => {
    await using t = await openTestServer();
    const payload = { type: 'noop', input: { text: '' } };
    const headers = { host, origin };
    const answer = await t.server.inject({ method: 'POST', url: '/api/jobs', headers, payload });
    expect([answer.statusCode, answer.json<{ code: string }>().code]).toEqual([403, 'forbidden_origin']);
    expect((await t.services.store.listJobs({ limit: 1 })).items).toEqual([]);
  });

  test('pages of an allowed one may ask first, without a key, and read the answer', async () => {
    const origin = 'https://board.example';
    await using t = await openTestServer({ guard: { allowedOrigins: [origin], apiKey: 'k' } });
    const preflight = await t.server.inject({
      method: 'OPTIONS',
      url: '/api/jobs',
      headers: { host, origin, 'access-control-request-method': 'POST' },
    });
    expect([preflight.statusCode, preflight.headers['access-control-allow-origin']]).toEqual([204, origin]);
    expect(preflight.headers['access-control-allow-headers']).toContain('authorization');
    const headers = { host, origin, authorization: 'Bearer k' };
    const answer = await t.server.inject({ url: '/api/jobs', headers });
    expect([answer.statusCode, answer.headers['access-control-allow-origin']]).toEqual([200, origin]);
    const refused = await t.server.inject({ url: '/api/jobs', headers: { host, origin } });
    expect([refused.statusCode, refused.headers['access-control-allow-origin']]).toEqual([401, origin]);
  });
});

describe('the API key', () => {
  test('is asked for everywhere but on the health paths and for the documentation', async () => {
    await using t = await openTestServer({ guard: { apiKey: 'the key' } });
    const call = async (url: string, authorization?: string) =>
      t.server.inject({ url, headers: authorization === undefined ? {} : { authorization } });
    for (const url of [
      '/healthz',
      '/livez',
      '/readyz',
      '/healthz?x=1',
      '/docs/',
      '/docs/json',
      '/openapi.json',
    ])
      expect((await call(url)).statusCode).toBe(200);
    for (const url of [
      '/api/jobs',
      '/api/workers',
      '/nothing',
      '/docsx',
      '/docs/../api/jobs',
      '/docs/%2e%2e/api/jobs',
      '/openapi.json/x',
      '/healthz/',
      '/x?/healthz',
    ]) {
      for (const given of [undefined, 'Bearer no', 'Bearer the ke', 'the key', 'Basic the key', 'Bearer ']) {
        const answer = await call(url, given);
        expect([url, given, answer.statusCode]).toEqual([url, given, 401]);
        expect(answer.headers['www-authenticate']).toMatch(/^Bearer/);
        expect(problemSchema.parse(answer.json()).code).toBe('invalid_api_key');
      }
      expect((await call(url, 'Bearer the key')).statusCode).not.toBe(401);
    }
  });

  test.each(['0.0.0.0', '::', '192.168.1.5', 'example.com'])('without one, %s is not listened on', (host) => {
    expect(() => {
      assertBindAllowed(host, null);
    }).toThrow(expect.objectContaining({ code: 'api_key_required', kind: 'configuration' }));
    assertBindAllowed(host, 'k');
  });

  test.each(['127.0.0.1', 'localhost', '::1', '127.8.8.8'])('%s needs none', (host) => {
    assertBindAllowed(host, null);
  });
});

describe('answers', () => {
  test('carry security headers, also when they are errors', async () => {
    await using t = await openTestServer();
    for (const url of ['/api/jobs', '/nothing', '/healthz']) {
      const { headers } = await t.server.inject(url);
      expect(headers).toMatchObject({
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'SAMEORIGIN',
        'cross-origin-resource-policy': 'same-origin',
        'content-security-policy': expect.stringContaining("default-src 'none'"),
        'cache-control': 'no-store',
      });
      expect(headers).not.toHaveProperty('x-powered-by');
    }
  });

  test('HEAD is GET without the body', async () => {
    await using t = await openTestServer();
    for (const url of ['/api/jobs', '/healthz', '/api/workers', '/openapi.json']) {
      const answer = await t.server.inject({ method: 'HEAD', url });
      expect([url, answer.statusCode, answer.body]).toEqual([url, 200, '']);
    }
  });

  test('a fault of ours says nothing of our insides; the log does', async () => {
    await using t = await openTestServer();
    await t.services.store[Symbol.asyncDispose]();
    for (const url of ['/api/jobs', '/api/jobs/x', '/api/workers']) {
      const answer = await t.server.inject(url);
      expect([answer.statusCode, answer.headers['retry-after']]).toEqual([503, '1']);
      expect(answer.body).not.toContain(t.opened.dir.path);
      expect(answer.body).not.toMatch(/\.ts|node_modules/);
    }
    expect(t.logLines.join('')).toContain(t.opened.dbPath);
  });
});

describe('input never causes a 500', () => {
  const json = fc.json({ maxDepth: 4 });
  const likely = fc.record(
    {
      type: fc.oneof(fc.constant('noop'), fc.string()),
      input: fc.oneof(fc.record({ text: fc.string({ unit: 'binary' }) }), fc.object()),
      queue: fc.oneof(fc.constant('noop'), fc.string()),
      priority: fc.oneof(fc.integer(), fc.double(), fc.string()),
      maxAttempts: fc.oneof(fc.integer({ min: 1, max: 20 }), fc.double()),
      idempotencyKey: fc.string({ unit: 'binary' }),
      runAt: fc.oneof(
        fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
        fc.string(),
      ),
    },
    { requiredKeys: [] },
  );
  const body = fc.oneof(
    json,
    likely.map((value) => JSON.stringify(value)),
    fc.string(),
  );

  test('of bodies', async () => {
    await using t = await openTestServer();
    await fc.assert(
      fc.asyncProperty(body, async (payload) => {
        const headers = { 'content-type': 'application/json' };
        const answer = await t.server.inject({ method: 'POST', url: '/api/jobs', headers, payload });
        expect(answer.statusCode).toBeLessThan(500);
        expect(answer.body).not.toMatch(/at .*\.[tj]s:|node_modules/);
      }),
      runs(400),
    );
  });

  test('of paths, queries and headers', async () => {
    await using t = await openTestServer();
    const id = await t.submit();
    const segment = fc.oneof(
      fc.constantFrom(
        'api',
        'jobs',
        'workers',
        'events',
        'artifacts',
        'cancel',
        'retry',
        'docs',
        'static',
        '..',
        id,
      ),
      fc.string({ unit: 'binary-ascii' }).map((value) => encodeURIComponent(value)),
      fc.constantFrom('%', '%zz', '%ff', '%00', '%2e%2e%2f', '*', ';', 'x'.repeat(300)),
    );
    const query = fc.array(
      fc.tuple(fc.constantFrom('limit', 'state', 'type', 'cursor', 'after', 'follow', '%'), segment),
      { maxLength: 3 },
    );
    const url = fc
      .tuple(fc.array(segment, { maxLength: 5 }), query)
      .map(
        ([path, pairs]) => `/${path.join('/')}?follow=false&${pairs.map((pair) => pair.join('=')).join('&')}`,
      );
    const header = fc.string({
      unit: fc.constantFrom('a', 'b', '=', ';', ',', '"', '/', '0', ' ', '-', '\u00e9'),
    });
    const headers = fc.record(
      {
        accept: header,
        authorization: header,
        'last-event-id': header,
        'if-none-match': header,
        'content-type': header,
        range: header,
      },
      { requiredKeys: [] },
    );
    const method = fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH');
    await fc.assert(
      fc.asyncProperty(method, url, headers, async (verb, where, given) => {
        const answer = await t.server.inject({ method: verb, url: where, headers: given });
        expect(answer.statusCode).toBeLessThan(500);
        expect(answer.body).not.toContain(t.opened.dir.path);
      }),
      runs(600),
    );
  });
});

describe('on the wire', () => {
  const exchange = async (url: string, bytes: string): Promise<string> => {
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname);
    await once(socket, 'connect');
    socket.write(bytes);
    return text(socket);
  };

  test.each([
    ['no HTTP at all', 'hello\r\n\r\n', 400],
    ['TLS', '\u0016\u0003\u0001\u0000\u00a5\r\n\r\n', 400],
    [
      'headers beyond all measure',
      `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(40_000)}\r\n\r\n`,
      431,
    ],
    [
      'two lengths',
      'POST /api/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
      400,
    ],
  ])('%s is answered with a problem, and the connection ends', async (_name, bytes, status) => {
    await using t = await openTestServer();
    const answer = await exchange(await t.listen(), bytes);
    const [head = '', body = ''] = answer.split('\r\n\r\n');
    expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(head).toContain('application/problem+json');
    expect(problemSchema.parse(JSON.parse(body)).status).toBe(status);
  });

  test('a request without a Host is refused', async () => {
    await using t = await openTestServer();
    const url = await t.listen();
    expect(await exchange(url, 'GET /api/jobs HTTP/1.1\r\nConnection: close\r\n\r\n')).toMatch(
      /^HTTP\/1.1 400 /,
    );
    expect(await exchange(url, 'GET /api/jobs HTTP/1.0\r\n\r\n')).toMatch(/^HTTP\/1.1 403 /);
  });

  test('a port that is taken is named', async () => {
    await using t = await openTestServer();
    await using other = await openTestServer();
    const { port } = new URL(await t.listen());
    await expect(listen(other.server, { host: '127.0.0.1', port: Number(port) })).rejects.toMatchObject({
      kind: 'configuration',
      code: 'port_taken',
      message: expect.stringContaining(port),
    });
  });

  test('an address that this machine does not have is named', async () => {
    await using t = await openTestServer();
    await expect(listen(t.server, { host: '203.0.113.7', port: 0 })).rejects.toMatchObject({
      code: 'address_unknown',
    });
  });
});
