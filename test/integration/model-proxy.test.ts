import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { createServer as createHttpsServer } from 'node:https';
import { text } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { ProxyFault } from '../../src/codex/model-proxy/fault.ts';
import { startModelProxy, type ProxyAccess } from '../../src/codex/model-proxy/start-model-proxy.ts';
import { findCodex } from '../../src/codex/find-codex.ts';
import { failureOfTurn } from '../../src/codex/failures.ts';
import { deferred } from '../../src/runtime/wait.ts';
import { startScriptedModel } from '../scripted-model/start-scripted-model.ts';
import { tempDir } from '../support/temp-dir.ts';
import { selfSigned } from '../support/self-signed.ts';
import { completedEvent, readBody, sendEvents, sendJson, startUpstream } from '../support/upstream.ts';

const apiKey = 'sk-test-0123456789abcdefghij';
const usage = { inputTokens: 100, cachedInputTokens: 40, outputTokens: 7 };

function ask(access: ProxyAccess, options: { signal?: AbortSignal; body?: string; token?: string } = {}) {
  return fetch(`${access.baseUrl}/responses`, {
    method: 'POST',
    headers: { authorization: `Bearer ${options.token ?? access.token}`, 'content-type': 'application/json' },
    body: options.body ?? '{"model":"m","stream":true}',
    signal: options.signal ?? AbortSignal.timeout(20_000),
  });
}

function reader(response: Response): ReadableStreamDefaultReader<Uint8Array> {
  if (response.body === null) throw new Error('no body');
  return response.body.getReader();
}

describe('the model proxy', () => {
  it('swaps the key in, forwards the body and drops what identifies another account', async () => {
    const bodies: string[] = [];
    await using upstream = await startUpstream(async (req, res) => {
      bodies.push(await readBody(req));
      sendEvents(res, completedEvent(usage));
    });
    await using proxy = await startModelProxy();
    const access = proxy.open({ attemptId: 'a', upstream: { baseUrl: `${upstream.baseUrl}/`, apiKey } });
    const response = await fetch(`${access.baseUrl}/responses?x=1`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${access.token}`,
        'x-client-request-id': 'r1',
        'chatgpt-account-id': 'other',
        cookie: 'c=1',
        'openai-organization': 'org',
      },
      body: 'the body',
    });
    expect(response.status).toBe(200);
    await response.text();
    const [request] = upstream.requests;
    expect(request?.url).toBe('/v1/responses?x=1');
    expect(request?.headers).toMatchObject({
      authorization: `Bearer ${apiKey}`,
      'x-client-request-id': 'r1',
    });
    for (const name of ['chatgpt-account-id', 'cookie', 'openai-organization']) {
      expect(request?.headers).not.toHaveProperty(name);
    }
    expect(bodies).toEqual(['the body']);
    expect(access.usage()).toEqual(usage);
    expect(access.faults).toEqual([]);
  });

  it('hands bytes on while the response is still being written', async () => {
    const gate = deferred<undefined>();
    await using upstream = await startUpstream(async (_req, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      res.write('event: response.created\ndata: {"type":"response.created"}\n\n');
      await gate.promise;
      res.end(completedEvent(usage));
    });
    await using proxy = await startModelProxy();
    const seen: unknown[] = [];
    const access = proxy.open({
      attemptId: 'a',
      upstream: { baseUrl: upstream.baseUrl, apiKey },
      onUsage: (sum) => seen.push(sum),
    });
    const body = reader(await ask(access));
    const first = await body.read();
    expect(Buffer.from(first.value ?? []).toString()).toContain('response.created');
    expect(seen).toEqual([]);
    gate.resolve(undefined);
    while (!(await body.read()).done);
    expect(seen).toEqual([usage]);
  });

  it('hands a request on while its body is still being sent', async () => {
    const arrived = deferred<string>();
    const gate = deferred<undefined>();
    await using upstream = await startUpstream(async (req, res) => {
      req.once('data', (chunk: Buffer) => {
        arrived.resolve(chunk.toString());
      });
      await once(req, 'end');
      sendEvents(res, completedEvent(usage));
    });
    await using proxy = await startModelProxy();
    const access = proxy.open({ attemptId: 'a', upstream: { baseUrl: upstream.baseUrl, apiKey } });
    const body = new ReadableStream<Uint8Array>({
      async start(controller) {
        controller.enqueue(Buffer.from('first'));
        await gate.promise;
        controller.close();
      },
    });
    const response = fetch(`${access.baseUrl}/responses`, {
      method: 'POST',
      headers: { authorization: `Bearer ${access.token}` },
      body,
      duplex: 'half',
    });
    expect(await arrived.promise).toBe('first');
    gate.resolve(undefined);
    expect((await response).status).toBe(200);
    await (await response).text();
  });

  it('ends the request upstream when the client goes away', async () => {
    const gone = deferred<undefined>();
    await using upstream = await startUpstream((_req, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      res.write('data: {}\n\n');
      res.once('close', () => {
        gone.resolve(undefined);
      });
    });
    await using proxy = await startModelProxy();
    const access = proxy.open({ attemptId: 'a', upstream: { baseUrl: upstream.baseUrl, apiKey } });
    const leave = new AbortController();
    const body = reader(await ask(access, { signal: leave.signal }));
    await body.read();
    leave.abort();
    await gone.promise;
    expect(access.faults).toEqual([]);
  });

  it('cuts the client where the provider cuts, and notes it', async () => {
    await using upstream = await startUpstream((_req, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      res.write('data: {}\n\n', () => res.destroy());
    });
    await using proxy = await startModelProxy();
    const fault = deferred<ProxyFault>();
    const access = proxy.open({
      attemptId: 'a',
      upstream: { baseUrl: upstream.baseUrl, apiKey },
      onFault: fault.resolve,
    });
    await expect((await ask(access)).text()).rejects.toThrow();
    expect(await fault.promise).toMatchObject({ kind: 'connection' });
  });

  it('notes a stream that ends without saying that the response is complete', async () => {
    await using upstream = await startUpstream((_req, res) => {
      sendEvents(res, 'data: {"type":"response.created"}\n\n');
    });
    await using proxy = await startModelProxy();
    const access = proxy.open({ attemptId: 'a', upstream: { baseUrl: upstream.baseUrl, apiKey } });
    await (await ask(access)).text();
    expect(access.faults).toMatchObject([{ kind: 'connection', code: 'stream_incomplete' }]);
  });

  it.each([401, 403])('asks a provider that refused the key with %d never again', async (status) => {
    await using upstream = await startUpstream((_req, res) => {
      sendJson(res, status, { error: { message: `Incorrect key ${apiKey}`, code: 'invalid_api_key' } });
    });
    const onAuthRefused = vi.fn();
    const onFault = vi.fn();
    await using proxy = await startModelProxy({ onAuthRefused });
    const access = proxy.open({ attemptId: 'a', upstream: { baseUrl: upstream.baseUrl, apiKey }, onFault });
    const answers = [await ask(access), await ask(access), await ask(access)];
    expect(answers.map((answer) => answer.status)).toEqual([status, status, status]);
    const bodies = await Promise.all(answers.map((answer) => answer.text()));
    expect(bodies.join('')).not.toContain(apiKey);
    expect(bodies[0]).toContain('Incorrect key ***');
    expect(bodies[1]).toContain('key_refused');
    expect(upstream.requests).toHaveLength(1);
    expect(onFault).toHaveBeenCalledTimes(1);
    expect(onAuthRefused).toHaveBeenCalledTimes(1);
    expect(onAuthRefused).toHaveBeenCalledWith('a', expect.objectContaining({ kind: 'auth', status }));
    expect(JSON.stringify(access.faults)).not.toContain(apiKey);

    const other = proxy.open({ attemptId: 'b', upstream: { baseUrl: upstream.baseUrl, apiKey } });
    await (await ask(other)).text();
    expect(upstream.requests).toHaveLength(2);
  });

  it('notes a limit with the time of its reset, until a response goes well', async () => {
    const nowMs = 1_800_000_000_000;
    let calls = 0;
    await using upstream = await startUpstream((_req, res) => {
      calls += 1;
      if (calls > 1) {
        sendEvents(res, completedEvent(usage));
        return;
      }
      res.setHeader('retry-after', '30');
      sendJson(res, 429, { error: { code: 'rate_limit_exceeded', resets_in_seconds: 90 } });
    });
    await using proxy = await startModelProxy({ clock: () => nowMs });
    const access = proxy.open({ attemptId: 'a', upstream: { baseUrl: upstream.baseUrl, apiKey } });
    const refused = await ask(access);
    expect(refused.headers.get('retry-after')).toBe('30');
    await refused.text();
    expect(access.faults).toMatchObject([
      { kind: 'limit', status: 429, code: 'rate_limit_exceeded', untilMs: nowMs + 90_000 },
    ]);
    await (await ask(access)).text();
    expect(access.faults).toEqual([]);
  });

  it('notes a limit that a stream reports at its end', async () => {
    const nowMs = 1_800_000_000_000;
    const error = { code: 'rate_limit_exceeded', message: 'Rate limit reached. Please try again in 2.5s.' };
    const event = { type: 'response.failed', response: { error, usage: null } };
    await using upstream = await startUpstream((_req, res) => {
      sendEvents(res, `data: ${JSON.stringify(event)}\n\n`);
    });
    await using proxy = await startModelProxy({ clock: () => nowMs });
    const access = proxy.open({ attemptId: 'a', upstream: { baseUrl: upstream.baseUrl, apiKey } });
    await (await ask(access)).text();
    expect(access.faults).toMatchObject([{ kind: 'limit', untilMs: nowMs + 2_500 }]);
  });

  it('passes a failure of the provider on and notes it', async () => {
    await using upstream = await startUpstream((_req, res) => {
      sendJson(res, 503, { error: { message: 'overloaded', code: 'server_is_overloaded' } });
    });
    await using proxy = await startModelProxy();
    const access = proxy.open({ attemptId: 'a', upstream: { baseUrl: upstream.baseUrl, apiKey } });
    const answer = await ask(access);
    expect(answer.status).toBe(503);
    expect(await answer.text()).toContain('overloaded');
    expect(access.faults).toMatchObject([{ kind: 'upstream', status: 503, code: 'server_is_overloaded' }]);
  });

  it('answers 502 where the provider refuses connections', async () => {
    const upstream = await startUpstream(() => undefined);
    await upstream[Symbol.asyncDispose]();
    await using proxy = await startModelProxy();
    const access = proxy.open({ attemptId: 'a', upstream: { baseUrl: upstream.baseUrl, apiKey } });
    const answer = await ask(access);
    expect(answer.status).toBe(502);
    expect(await answer.json()).toMatchObject({ error: { code: 'upstream_unreachable' } });
    expect(access.faults).toMatchObject([{ kind: 'connection', code: 'ECONNREFUSED' }]);
  });

  it('answers 502 where the name does not resolve', async () => {
    await using proxy = await startModelProxy();
    const access = proxy.open({
      attemptId: 'a',
      upstream: { baseUrl: 'http://no.such.host.invalid/v1', apiKey },
    });
    expect((await ask(access)).status).toBe(502);
    expect(access.faults).toMatchObject([{ kind: 'connection', origin: 'http://no.such.host.invalid' }]);
  });

  it('answers 502 where the certificate is not trusted, without sending the key', async () => {
    await using upstream = await startUpstream(
      (_req, res) => {
        sendEvents(res, completedEvent(usage));
      },
      (listener) => createHttpsServer(selfSigned, listener),
    );
    await using proxy = await startModelProxy();
    const baseUrl = upstream.baseUrl.replace('http:', 'https:');
    const access = proxy.open({ attemptId: 'a', upstream: { baseUrl, apiKey } });
    expect((await ask(access)).status).toBe(502);
    expect(access.faults).toMatchObject([{ kind: 'connection', code: 'DEPTH_ZERO_SELF_SIGNED_CERT' }]);
    expect(upstream.requests).toEqual([]);
  });

  it('speaks TLS to a provider whose certificate is trusted', async () => {
    const before = getCACertificates('default');
    setDefaultCACertificates([...before, selfSigned.cert]);
    onTestFinished(() => {
      setDefaultCACertificates(before);
    });
    await using upstream = await startUpstream(
      (_req, res) => {
        sendEvents(res, completedEvent(usage));
      },
      (listener) => createHttpsServer(selfSigned, listener),
    );
    await using proxy = await startModelProxy();
    const baseUrl = upstream.baseUrl.replace('http:', 'https:');
    const access = proxy.open({ attemptId: 'a', upstream: { baseUrl, apiKey } });
    expect(await (await ask(access)).text()).toContain('response.completed');
    expect(upstream.requests[0]?.headers.authorization).toBe(`Bearer ${apiKey}`);
    expect(access.usage()).toEqual(usage);
  });

  it('gives up on a provider that stays silent', async () => {
    await using upstream = await startUpstream(() => undefined);
    await using proxy = await startModelProxy({ limits: { idleMs: 50 } });
    const access = proxy.open({ attemptId: 'a', upstream: { baseUrl: upstream.baseUrl, apiKey } });
    expect((await ask(access)).status).toBe(502);
    expect(access.faults).toMatchObject([{ kind: 'connection', code: 'ETIMEDOUT' }]);
  });

  it('does not follow a redirect', async () => {
    await using elsewhere = await startUpstream((_req, res) => {
      sendJson(res, 200, {});
    });
    await using upstream = await startUpstream((_req, res) => {
      res.writeHead(307, { location: `${elsewhere.baseUrl}/responses` }).end();
    });
    await using proxy = await startModelProxy();
    const access = proxy.open({ attemptId: 'a', upstream: { baseUrl: upstream.baseUrl, apiKey } });
    expect((await ask(access)).status).toBe(502);
    expect(elsewhere.requests).toEqual([]);
    expect(access.faults).toMatchObject([{ kind: 'upstream', status: 307 }]);
  });

  it('masks a key that the provider echoes in a header, a stream or a compressed body', async () => {
    await using upstream = await startUpstream((req, res) => {
      res.setHeader('x-echo', String(req.headers.authorization));
      if (req.url?.endsWith('/models') === true) {
        res.writeHead(500, { 'content-encoding': 'gzip' }).end(gzipSync(`{"error":{"message":"${apiKey}"}}`));
        return;
      }
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      res.write(`data: ${apiKey.slice(0, 9)}`, () => res.end(`${apiKey.slice(9)} and more\n\n`));
    });
    await using proxy = await startModelProxy();
    const access = proxy.open({ attemptId: 'a', upstream: { baseUrl: upstream.baseUrl, apiKey } });
    const headers = { authorization: `Bearer ${access.token}` };
    for (const answer of [await ask(access), await fetch(`${access.baseUrl}/models`, { headers })]) {
      const all = JSON.stringify([...answer.headers]) + (await answer.text());
      expect(all).not.toContain(apiKey);
      expect(all).toContain('*'.repeat(apiKey.length));
    }
  });

  it('refuses other routes, unknown tokens and closed attempts without asking the provider', async () => {
    await using upstream = await startUpstream((_req, res) => {
      sendEvents(res, completedEvent(usage));
    });
    await using proxy = await startModelProxy();
    const access = proxy.open({ attemptId: 'a', upstream: { baseUrl: upstream.baseUrl, apiKey } });
    const headers = { authorization: `Bearer ${access.token}` };
    const root = new URL(access.baseUrl).origin;
    for (const path of [
      '/',
      '//',
      '/v1',
      '/v1/files',
      '/v1/responses/../files',
      '/v1/responses/x',
      '/metrics',
    ]) {
      expect((await fetch(`${root}${path}`, { method: 'POST', headers, body: '{}' })).status).toBe(404);
    }
    expect((await fetch(`${access.baseUrl}/responses`, { headers })).status).toBe(404);
    expect((await fetch(`${access.baseUrl}/responses`, { method: 'POST' })).status).toBe(401);
    expect((await ask(access, { token: apiKey })).status).toBe(401);
    access.close();
    expect((await ask(access)).status).toBe(401);
    expect(upstream.requests).toEqual([]);
  });

  it('refuses a body beyond the limit, with its length said or not', async () => {
    await using upstream = await startUpstream(async (req, res) => {
      await readBody(req).catch(() => undefined);
      sendEvents(res, completedEvent(usage));
    });
    await using proxy = await startModelProxy({ limits: { maxBodyBytes: 1000 } });
    const access = proxy.open({ attemptId: 'a', upstream: { baseUrl: upstream.baseUrl, apiKey } });
    expect((await ask(access, { body: 'x'.repeat(1001) })).status).toBe(413);
    const chunked = await fetch(`${access.baseUrl}/responses`, {
      method: 'POST',
      headers: { authorization: `Bearer ${access.token}` },
      body: ReadableStream.from([Buffer.alloc(600), Buffer.alloc(600)]),
      duplex: 'half',
    });
    expect(chunked.status).toBe(413);
    expect((await ask(access, { body: 'x'.repeat(1000) })).status).toBe(200);
    expect(access.faults).toEqual([]);
  });

  it('refuses more requests at once than the limit', async () => {
    const gate = deferred<undefined>();
    const two = deferred<undefined>();
    await using upstream = await startUpstream(async (_req, res) => {
      if (upstream.requests.length === 2) two.resolve(undefined);
      await gate.promise;
      sendEvents(res, completedEvent(usage));
    });
    await using proxy = await startModelProxy({ limits: { maxConcurrent: 2 } });
    const access = proxy.open({ attemptId: 'a', upstream: { baseUrl: upstream.baseUrl, apiKey } });
    const held = [ask(access), ask(access)];
    await two.promise;
    expect((await ask(access)).status).toBe(503);
    gate.resolve(undefined);
    for (const answer of await Promise.all(held)) expect(await answer.text()).toContain('response.completed');
    expect(access.usage().outputTokens).toBe(2 * usage.outputTokens);
  });

  it('ends the streams of an attempt that is closed, and no others', async () => {
    const gate = deferred<undefined>();
    const gone: string[] = [];
    const firstGone = deferred<undefined>();
    await using upstream = await startUpstream(async (req, res) => {
      const name = await readBody(req);
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      res.write('data: {}\n\n');
      res.once('close', () => {
        if (!res.writableFinished) gone.push(name);
        firstGone.resolve(undefined);
      });
      await gate.promise;
      res.end(completedEvent(usage));
    });
    await using proxy = await startModelProxy();
    const target = { baseUrl: upstream.baseUrl, apiKey };
    const one = proxy.open({ attemptId: 'one', upstream: target });
    const two = proxy.open({ attemptId: 'two', upstream: target });
    const first = await ask(one, { body: 'one' });
    const second = await ask(two, { body: 'two' });
    one.close();
    await expect(first.text()).rejects.toThrow();
    await firstGone.promise;
    gate.resolve(undefined);
    expect(await second.text()).toContain('response.completed');
    expect(gone).toEqual(['one']);
    expect(one.faults).toEqual([]);
  });

  it('ends all streams when it is disposed, and opens no more', async () => {
    await using upstream = await startUpstream((_req, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      res.write('data: {}\n\n');
    });
    const proxy = await startModelProxy();
    const access = proxy.open({ attemptId: 'a', upstream: { baseUrl: upstream.baseUrl, apiKey } });
    const response = await ask(access);
    await proxy[Symbol.asyncDispose]();
    await expect(response.text()).rejects.toThrow();
    await expect(ask(access)).rejects.toThrow();
    expect(() => proxy.open({ attemptId: 'b', upstream: { baseUrl: upstream.baseUrl, apiKey } })).toThrow(
      expect.objectContaining({ code: 'proxy_closed' }),
    );
  });

  it('keeps eight attempts at once apart', async () => {
    await using upstream = await startUpstream(async (req, res) => {
      const n = Number(await readBody(req));
      expect(req.headers.authorization).toBe(`Bearer sk-key-of-attempt-${String(n)}`);
      if (n === 3) sendJson(res, 401, { error: { code: 'invalid_api_key' } });
      else sendEvents(res, `data: {"n":${String(n)}}\n\n`, completedEvent({ ...usage, outputTokens: n }));
    });
    await using proxy = await startModelProxy();
    const accesses = Array.from({ length: 8 }, (_, n) =>
      proxy.open({
        attemptId: `attempt-${String(n)}`,
        upstream: { baseUrl: upstream.baseUrl, apiKey: `sk-key-of-attempt-${String(n)}` },
      }),
    );
    const rounds = 5;
    await Promise.all(
      accesses.map(async (access, n) => {
        for (let round = 0; round < rounds; round += 1) {
          const text = await (await ask(access, { body: String(n) })).text();
          if (n !== 3) expect(text).toContain(`{"n":${String(n)}}`);
        }
      }),
    );
    expect(accesses.map((access) => access.usage().outputTokens)).toEqual(
      accesses.map((_, n) => (n === 3 ? 0 : n * rounds)),
    );
    expect(accesses.map((access) => access.faults.length)).toEqual([0, 0, 0, 1, 0, 0, 0, 0]);
  });

  it('holds back a provider that writes faster than the client reads, and loses nothing', async () => {
    const chunk = Buffer.alloc(64 * 1024, 'x');
    const total = 1024;
    let written = 0;
    const all = deferred<undefined>();
    await using upstream = await startUpstream(async (req, res) => {
      if ((await readBody(req)) === 'ping') {
        sendEvents(res, completedEvent(usage));
        return;
      }
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      while (written < total && !res.destroyed) {
        written += 1;
        if (!res.write(chunk)) await once(res, 'drain');
      }
      all.resolve(undefined);
      res.end();
    });
    await using proxy = await startModelProxy();
    const access = proxy.open({ attemptId: 'a', upstream: { baseUrl: upstream.baseUrl, apiKey } });
    const response = await ask(access);
    // Nobody reads, while the proxy's loop turns for other requests: it has every chance to take more than it may.
    const others = async (): Promise<void> => {
      for (let n = 0; n < 300 && written < total; n += 1) await (await ask(access, { body: 'ping' })).text();
    };
    await Promise.race([all.promise, others()]);
    expect(written).toBeLessThan(total);
    expect((await response.arrayBuffer()).byteLength).toBe(total * chunk.length);
  });

  it.each([
    ['not a url', 'sk-0123456789', 'base_url_invalid'],
    ['ftp://host/v1', 'sk-0123456789', 'base_url_invalid'],
    ['https://user:pass@host/v1', 'sk-0123456789', 'base_url_invalid'],
    ['https://host/v1', 'sk-0123\n456789', 'key_invalid'],
  ])('refuses to open with %s', async (baseUrl, key, code) => {
    await using proxy = await startModelProxy();
    expect(() => proxy.open({ attemptId: 'a', upstream: { baseUrl, apiKey: key } })).toThrow(
      expect.objectContaining({ kind: 'configuration', code, message: expect.not.stringContaining(key) }),
    );
  });

  it('stops when its signal aborts', async () => {
    const stop = new AbortController();
    await using proxy = await startModelProxy({ signal: stop.signal });
    const access = proxy.open({ attemptId: 'a', upstream: { baseUrl: 'http://127.0.0.1:9/v1', apiKey } });
    stop.abort();
    await proxy[Symbol.asyncDispose]();
    await expect(ask(access)).rejects.toThrow();
  });
});

describe('the real Codex CLI behind the model proxy', () => {
  interface Run {
    readonly events: readonly Record<string, unknown>[];
    readonly seen: string;
  }

  /** One `codex exec` that knows the proxy and its token, and nothing else. */
  async function runCodexExec(access: ProxyAccess): Promise<Run> {
    await using dir = await tempDir('cache');
    await mkdir(dir.join('workspace'));
    const { path } = await findCodex({ bin: null, path: '', signal: AbortSignal.timeout(10_000) });
    const provider = `{name="job", base_url="${access.baseUrl}", wire_api="responses", experimental_bearer_token="${access.token}"}`;
    const settings = ['model="gpt-5.5"', 'model_provider="job"', `model_providers.job=${provider}`];
    const args = ['exec', '--json', '--skip-git-repo-check', '-C', dir.join('workspace')];
    const child = spawn(path, [...args, ...settings.flatMap((setting) => ['-c', setting]), 'Say hello'], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: '/usr/bin:/bin', HOME: dir.path, CODEX_HOME: dir.path },
      signal: AbortSignal.timeout(40_000),
    });
    const [out, talk] = await Promise.all([text(child.stdout), text(child.stderr)]);
    const lines = out.trim().split('\n');
    return { events: lines.map((line) => JSON.parse(line) as Record<string, unknown>), seen: out + talk };
  }

  it('answers through it, metered, and never sees the key', async () => {
    const turns = [
      { commands: ['echo $((6 * 7))'], usage: { input: 500, cached: 0, output: 20 } },
      { text: 'It is 42.', usage: { input: 700, cached: 500, output: 30 } },
    ];
    await using model = await startScriptedModel({
      scenario: { conversations: [{ turns }] },
      acceptedKeys: [apiKey],
    });
    await using proxy = await startModelProxy();
    const access = proxy.open({ attemptId: 'a', upstream: { baseUrl: model.baseUrl, apiKey } });
    const { events, seen } = await runCodexExec(access);
    expect(events.at(-1)).toMatchObject({ type: 'turn.completed' });
    expect(seen).toContain('It is 42.');
    expect(seen).not.toContain(apiKey);
    expect(access.usage()).toEqual({ inputTokens: 1200, cachedInputTokens: 500, outputTokens: 50 });
    expect(access.faults).toEqual([]);
    expect(model.problems).toEqual([]);
  });

  it('has a refused key asked once, however often it tries', async () => {
    await using model = await startScriptedModel({
      scenario: { conversations: [] },
      acceptedKeys: ['another'],
    });
    await using proxy = await startModelProxy();
    const access = proxy.open({ attemptId: 'a', upstream: { baseUrl: model.baseUrl, apiKey } });
    const { events, seen } = await runCodexExec(access);
    expect(model.requests).toHaveLength(1);
    expect(seen).not.toContain(apiKey);
    const last = events.at(-1) as { type: string; error: { message: string } };
    expect(last.type).toBe('turn.failed');
    const { failure } = failureOfTurn({ error: last.error, faults: access.faults });
    expect(failure).toMatchObject({ kind: 'auth', code: 'key_refused' });
  });

  it('has the reset of a limit known, which it does not tell itself', async () => {
    const resetsAt = Math.floor(Date.now() / 1000) + 3600;
    const turns = [{ fault: 'usage_limit' as const, resetsAt }];
    await using model = await startScriptedModel({ scenario: { conversations: [{ turns }] } });
    await using proxy = await startModelProxy();
    const access = proxy.open({ attemptId: 'a', upstream: { baseUrl: model.baseUrl, apiKey } });
    const { events } = await runCodexExec(access);
    const last = events.at(-1) as { error: { message: string } };
    const { failure, untilMs } = failureOfTurn({ error: last.error, faults: access.faults });
    expect(failure).toMatchObject({ kind: 'limit', code: 'usage_limit' });
    // Between the body's point in time, to the second, and its span counted from when it came.
    expect(Math.abs((untilMs ?? 0) - resetsAt * 1000)).toBeLessThan(60_000);
  });

  it('tries a cut stream again and ends well', async () => {
    const turns = [{ fault: 'cut' as const, afterEvents: 2, times: 1 }, { text: 'Here I am.' }];
    await using model = await startScriptedModel({ scenario: { conversations: [{ turns }] } });
    await using proxy = await startModelProxy();
    const faults: ProxyFault[] = [];
    const access = proxy.open({
      attemptId: 'a',
      upstream: { baseUrl: model.baseUrl, apiKey },
      onFault: (fault) => faults.push(fault),
    });
    const { events } = await runCodexExec(access);
    expect(events.at(-1)).toMatchObject({ type: 'turn.completed' });
    expect(faults).toMatchObject([{ kind: 'connection' }]);
    expect(access.faults).toEqual([]);
  });
});
