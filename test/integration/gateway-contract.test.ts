import { once } from 'node:events';
import { stat } from 'node:fs/promises';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { dataFrames, errorOf, openGatewayStage, type GatewayStage } from '../support/gateway-stage.ts';
import { scriptedAppServer } from '../support/scripted-app-server.ts';

/** What clients and operators are promised, line by line, where no other test has it already. */

async function stageOf(
  part = 'good',
  env: Readonly<Record<string, string>> = {},
): Promise<AsyncDisposable & { readonly stage: GatewayStage }> {
  const stack = new AsyncDisposableStack();
  const child = stack.use(await scriptedAppServer(part));
  const stage = stack.use(await openGatewayStage({ env: { CODEX_BIN: child.bin, ...env } }));
  return { stage, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

const say = (stage: GatewayStage, content: string, body: object = {}, init: RequestInit = {}) =>
  stage.chat({ messages: [{ role: 'user', content }], ...body }, init);

/** What is answered to bytes that are no HTTP request. */
async function sayRaw(url: string, bytes: string): Promise<string> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  let said = '';
  socket.setEncoding('utf8').on('data', (piece: string) => (said += piece));
  socket.end(bytes);
  await once(socket, 'close');
  return said;
}

test('every answer can be read by a page of this machine: health, metrics, errors of all layers, preflights', async () => {
  await using house = await stageOf();
  const { stage } = house;
  const origin = 'http://localhost:3000';
  const asked: readonly (readonly [string, RequestInit, number])[] = [
    ['/v1/models', {}, 200],
    ['/healthz', {}, 200],
    ['/readyz', {}, 200],
    ['/livez', {}, 200],
    ['/metrics', {}, 200],
    ['/nothing', {}, 404],
    ['/v1/nothing', {}, 404],
    ['/v1/%zz', {}, 400],
    ['/v1/chat/completions', { method: 'POST', body: '{' }, 400],
    ['/v1/chat/completions', { method: 'POST', body: JSON.stringify({ model: 'gpt-0', messages: [] }) }, 400],
    ['/v1/responses', { method: 'OPTIONS', headers: { 'access-control-request-method': 'POST' } }, 204],
    ['/healthz', { method: 'OPTIONS', headers: { 'access-control-request-method': 'GET' } }, 204],
  ];
  for (const [path, init, status] of asked) {
    const answer = await fetch(`${stage.url}${path}`, {
      ...init,
      headers: { ...(init.headers as Record<string, string> | undefined), origin },
    });
    const seen = { status: answer.status, origin: answer.headers.get('access-control-allow-origin') };
    expect(seen, path).toEqual({ status, origin });
    expect(answer.headers.get('x-request-id'), path).not.toBeNull();
    if (status >= 400) expect(await errorOf(answer)).toHaveProperty('code');
  }
  const malformed = await sayRaw(stage.url, 'rubbish\r\n\r\n');
  expect(malformed).toContain('HTTP/1.1 400');
  expect(malformed).toContain('Access-Control-Allow-Origin: *');
  expect(malformed).toContain('"error":{"message":');
});

test('the list of models has what clients read of it', async () => {
  await using house = await stageOf('good', { CODEX_MODEL: 'gpt-x' });
  const list = (await (await fetch(`${house.stage.url}/v1/models`)).json()) as { data: object[] };
  expect(list).toMatchObject({ object: 'list' });
  expect(list.data).toContainEqual({
    id: 'gpt-x',
    object: 'model',
    owned_by: 'codex',
    created: expect.any(Number) as number,
  });
  const one = await fetch(`${house.stage.url}/v1/models/gpt-x`);
  expect(await one.json()).toEqual(list.data.at(-1));
  expect((await fetch(`${house.stage.url}/v1/models/gpt-0`)).status).toBe(404);
});

const supervisorFields = [
  'enabled',
  'running',
  'ready',
  'shutdown_in_flight',
  'pid',
  'restarts_total',
  'consecutive_failures',
  'last_exit',
  'last_ready_at',
  'startup_latency_ms',
  'next_restart_delay_ms',
  'metrics',
];

test('healthz has the same fields whatever the backend, and tells of the last exit', async () => {
  await using house = await stageOf();
  const { stage } = house;
  await (await say(stage, 'crash')).text();
  await stage.whenReady();
  const health = (await (await fetch(`${stage.url}/healthz`)).json()) as {
    worker_supervisor: Record<string, unknown>;
  };
  expect(Object.keys(health)).toEqual([
    'ok',
    'backend_mode',
    'app_server_enabled',
    'sandbox_mode',
    'worker_supervisor',
    'health',
  ]);
  expect(Object.keys(health.worker_supervisor)).toEqual(supervisorFields);
  expect(health.worker_supervisor).toMatchObject({
    enabled: true,
    running: true,
    restarts_total: 1,
    last_exit: { at: expect.stringMatching(/^\d{4}-.*Z$/) as string, code: 9, signal: null, error: null },
    metrics: { codex_worker_restarts_total: 1, codex_worker_latency_ms: expect.any(Number) as number },
  });

  await using exec = await openGatewayStage({ env: { PROXY_USE_APP_SERVER: 'false' } });
  const without = exec.gateway.health().worker_supervisor;
  expect(Object.keys(without)).toEqual(supervisorFields);
  expect(without).toMatchObject({ enabled: false, running: false, pid: null, last_exit: null });
});

test('what the gateway cannot read is internal_error, told without its text', async () => {
  await using house = await stageOf();
  const { stage } = house;
  const line = { method: 'thread/tokenUsage/updated', params: { threadId: 'THREAD', tokenUsage: null } };
  const bytes = Buffer.from(`${JSON.stringify(line)}\n`).toString('base64');
  const answer = await say(stage, `says ${JSON.stringify({ bytes, cuts: [] })}`);
  expect(answer.status).toBe(500);
  const { code, type, message } = await errorOf(answer);
  expect({ code, type }).toEqual({ code: 'internal_error', type: 'server_error' });
  expect(message).not.toContain('tokenUsage');
  await expect
    .poll(() => stage.logLines.some(({ level, msg }) => level === 'error' && msg === 'A request failed'))
    .toBe(true);
});

test('a request whose client goes away counts as 499', async () => {
  await using house = await stageOf();
  const { stage } = house;
  const leave = new AbortController();
  const left = say(stage, 'hang-after-text', { stream: true }, { signal: leave.signal });
  const response = await left;
  await response.body?.getReader().read();
  leave.abort();
  const metrics = async (): Promise<string> => (await fetch(`${stage.url}/metrics`)).text();
  const labels = 'route="/v1/chat/completions",method="POST",model="codex-5",status_family="4xx"';
  await expect.poll(metrics, { timeout: 10_000 }).toContain(`codex_http_requests_total{${labels}} 1`);
  await expect.poll(metrics).toMatch(/^codex_streams_active 0$/m);
  const text = await metrics();
  expect(Number(/^codex_http_latency_ms_sum\{.*4xx.*\} (.*)$/m.exec(text)?.[1])).toBeGreaterThan(0);
  expect(text).toContain('codex_stream_ttfb_ms_count{route="/v1/chat/completions",model="codex-5"} 1');
  expect(text).toContain('codex_stream_duration_ms_count{route="/v1/chat/completions",model="codex-5"} 1');
});

test('a stream carries the id of its request, the requested model and what was ignored', async () => {
  await using house = await stageOf();
  const { stage } = house;
  const headers = { 'x-request-id': 'mine-1' };
  const ask = { stream: true, model: 'codex-5-low', temperature: 1, user: 'u', metadata: { a: 'b' } };
  const response = await say(stage, 'hi', ask, { headers });
  expect(response.headers.get('x-request-id')).toBe('mine-1');
  expect(response.headers.get('x-capstan-ignored')).toBe('temperature, user, metadata');
  expect(response.headers.get('access-control-allow-origin')).toBe('*');
  const frames = dataFrames(await response.text())
    .slice(0, -1)
    .map((frame) => JSON.parse(frame) as { id: string; created: number; model: string; object: string });
  const shared = frames.map(({ id, created, model, object }) => `${id} ${created} ${model} ${object}`);
  expect(new Set(shared).size).toBe(1);
  expect(shared[0]).toContain(' codex-5-low chat.completion.chunk');

  const other = { model: 'codex-5', input: 'hi', store: false, top_p: 0.5, user: 'u' };
  const answer = await stage.post('/v1/responses', other);
  expect(answer.headers.get('x-capstan-ignored')).toBe('top_p, user');
  const refused = await stage.post('/v1/responses', { ...other, conversation: 'x' });
  expect(await errorOf(refused)).toMatchObject({ code: 'invalid_request_error', param: 'conversation' });
});

test('what is switched off is not worth another try', async () => {
  await using stage = await openGatewayStage({ env: { PROXY_USE_APP_SERVER: 'false' } });
  const answer = await stage.chat({ tools: [{ type: 'function', function: { name: 'get' } }] });
  expect(answer.status).toBe(503);
  expect(answer.headers.get('retry-after')).toBeNull();
  expect(answer.headers.get('x-should-retry')).toBe('false');
});

test('without a key for the model the gateway is not ready from the start, and says what to do', async () => {
  await using stage = await openGatewayStage({
    key: null,
    isReadyAwaited: false,
    env: { CAPSTAN_GATEWAY__LOGIN_PROBE: '100ms' },
  });
  await stage.logged('worker_ready');
  expect(await (await fetch(`${stage.url}/readyz`)).json()).toMatchObject({ reason: 'auth_required' });
  expect(await stage.logged('auth_required')).toMatchObject({ level: 'error' });
  const answer = await stage.chat();
  expect(answer.status).toBe(401);
  expect(answer.headers.get('www-authenticate')).toContain('Bearer');
  const { code, message } = await errorOf(answer);
  expect(code).toBe('auth_required');
  expect(message).toContain('OPENAI_API_KEY');
  expect(stage.model.requests).toEqual([]);
});

test('requests that outlast the grace are told of in the log, after the stop and before the exit', async () => {
  await using house = await stageOf('good', { WORKER_SHUTDOWN_GRACE_MS: '100' });
  const { stage } = house;
  const plain = say(stage, 'hang');
  await expect
    .poll(async () => (await fetch(`${stage.url}/metrics`)).text())
    .toContain('codex_worker_ready 1');
  const held = await say(stage, 'hang-after-text', { stream: true });
  await stage.gateway[Symbol.asyncDispose]();
  await Promise.all([plain, held.text()]);
  expect(await stage.logged('shutdown_grace_exceeded')).toMatchObject({ inFlight: 2, graceMs: 100 });
  const order = stage.logLines
    .map(({ event }) => event ?? '')
    .filter((event) => /^(shutdown_|worker_exit)/.test(event));
  expect(order).toEqual(['shutdown_initiated', 'shutdown_grace_exceeded', 'worker_exit']);
});

test('settings: metrics off, fewer choices, another model, another work folder', async () => {
  await using stage = await openGatewayStage({
    env: {
      PROXY_ENABLE_METRICS: 'false',
      PROXY_MAX_CHAT_CHOICES: '2',
      CODEX_MODEL: 'gpt-of-mine',
      PROXY_CODEX_WORKDIR: 'work-here',
      CODEX_HOME: 'home-here',
    },
  });
  expect((await fetch(`${stage.url}/metrics`)).status).toBe(404);
  const refused = await stage.chat({ n: 3 });
  expect(await errorOf(refused)).toMatchObject({ param: 'n', message: "'n' must be 1 to 2." });
  expect((await stage.chat({ n: 2 })).status).toBe(200);
  expect(stage.model.requests.at(-1)?.body).toMatchObject({ model: 'gpt-of-mine' });
  for (const folder of ['work-here', 'home-here'])
    expect((await stat(stage.dir.join(folder))).isDirectory()).toBe(true);
});

test.each([
  [{ PROXY_IDLE_TIMEOUT_MS: '60000', PROXY_STREAM_IDLE_TIMEOUT_MS: '200' }, true, 'idle_timeout'],
  [{ PROXY_IDLE_TIMEOUT_MS: '200', PROXY_STREAM_IDLE_TIMEOUT_MS: '60000' }, false, 'idle_timeout'],
  [{ PROXY_TIMEOUT_MS: '300', WORKER_REQUEST_TIMEOUT_MS: '60000' }, false, 'worker_request_timeout'],
  [{ PROXY_TIMEOUT_MS: '300', WORKER_REQUEST_TIMEOUT_MS: '60000' }, true, 'worker_request_timeout'],
])('limits %j, streamed: %s, end a turn that hangs with %s', async (env, stream, code) => {
  await using house = await stageOf('good', env);
  const answer = await say(house.stage, 'hang', { stream });
  expect(answer.status).toBe(504);
  expect(await errorOf(answer)).toMatchObject({ code, type: 'timeout_error', retryable: true });
});

test.each([
  [{ WORKER_STARTUP_TIMEOUT_MS: '60000', WORKER_HANDSHAKE_TIMEOUT_MS: '200' }],
  [{ WORKER_STARTUP_TIMEOUT_MS: '200', WORKER_HANDSHAKE_TIMEOUT_MS: '60000' }],
])('of the two limits on a start the smaller wins: %j', async (limits) => {
  await using child = await scriptedAppServer('never-ready');
  const env = {
    CODEX_BIN: child.bin,
    WORKER_BACKOFF_INITIAL_MS: '40',
    WORKER_BACKOFF_MAX_MS: '41',
    ...limits,
  };
  await using stage = await openGatewayStage({ env, isReadyAwaited: false });
  await stage.logged('worker_exit');
  // The first restart comes at once, the others after waits within the settings and their jitter.
  const { delay } = await stage.logged('worker_restart_scheduled', 3);
  expect(Number(delay)).toBeGreaterThanOrEqual(30);
  expect(Number(delay)).toBeLessThanOrEqual(50);
});

test('what the child writes on stderr is told by its length; its text only at debug, without secrets', async () => {
  await using house = await stageOf('writes-secret');
  const { stage } = house;
  const line = await stage.logged('worker_output');
  expect(line).toMatchObject({ stream: 'stderr', level: 'info' });
  expect(Number(line['length'])).toBeGreaterThan(0);
  expect(JSON.stringify(stage.logLines.filter(({ level }) => level !== 'debug'))).not.toContain('wrote this');
  expect(stage.logText()).not.toContain('sk-0123456789abcdef0123456789abcdef');
});
