import { expect, test } from 'vitest';
import { dataFrames, errorOf, openGatewayStage, type GatewayStage } from '../support/gateway-stage.ts';
import { scriptedAppServer } from '../support/scripted-app-server.ts';

const fast = { WORKER_BACKOFF_INITIAL_MS: '20', WORKER_BACKOFF_MAX_MS: '50' };

async function stageOf(part: string, env: Readonly<Record<string, string>> = {}, isReadyAwaited = true) {
  const stack = new AsyncDisposableStack();
  const child = stack.use(await scriptedAppServer(part));
  const stage = stack.use(
    await openGatewayStage({ env: { CODEX_BIN: child.bin, ...fast, ...env }, isReadyAwaited }),
  );
  return { stage, child, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

const say = (stage: GatewayStage, content: string, body: object = {}): Promise<Response> =>
  stage.chat({ messages: [{ role: 'user', content }], ...body });

const contentOf = async (response: Response): Promise<string> => {
  const text = await response.text();
  expect(response.status, text).toBe(200);
  return (JSON.parse(text) as { choices: [{ message: { content: string } }] }).choices[0].message.content;
};

interface Health {
  readonly ok: boolean;
  readonly worker_supervisor: {
    readonly pid: number;
    readonly restarts_total: number;
    readonly last_exit: { readonly code: number; readonly at: string } | null;
  };
  readonly health: { readonly readiness: { readonly ready: boolean; readonly reason: string } };
}
const healthOf = async (stage: GatewayStage): Promise<Health> =>
  (await (await fetch(`${stage.url}/healthz`)).json()) as Health;

test('before the child is ready requests get a retriable 503 with its status, and readiness says why', async () => {
  await using house = await stageOf('ready-late', {}, false);
  const { stage, child } = house;
  await stage.logged('worker_spawned');
  const ready = await fetch(`${stage.url}/readyz`);
  expect(ready.status).toBe(503);
  expect(await ready.json()).toMatchObject({ reason: 'handshake_pending' });
  expect((await fetch(`${stage.url}/livez`)).status).toBe(200);
  const refused = await say(stage, 'hi');
  expect(refused.status).toBe(503);
  expect(refused.headers.get('retry-after')).toBe('1');
  expect(refused.headers.get('access-control-allow-origin')).toBe('*');
  expect(await errorOf(refused)).toMatchObject({
    code: 'worker_not_ready',
    retryable: true,
    worker_status: { reason: 'handshake_pending' },
  });
  await child.raiseFlag();
  await stage.whenReady();
  expect(await contentOf(await say(stage, 'hi'))).toMatch(/^hello from/);
});

test('a child that never gets ready is ended and started again, and the reason stays visible', async () => {
  await using house = await stageOf('never-ready', { WORKER_STARTUP_TIMEOUT_MS: '200' }, false);
  const { stage } = house;
  await stage.logged('worker_exit', 2);
  expect(['handshake_failed', 'worker_restarting', 'handshake_pending']).toContain(stage.gateway.readiness);
  expect((await healthOf(stage)).ok).toBe(false);
});

test('a refused handshake is named in the refusals of requests', async () => {
  await using house = await stageOf(
    'refuses-handshake',
    { WORKER_BACKOFF_INITIAL_MS: '60000', WORKER_BACKOFF_MAX_MS: '60000' },
    false,
  );
  const { stage } = house;
  await stage.logged('worker_restart_scheduled', 2);
  const refused = await say(stage, 'hi');
  expect(refused.status).toBe(503);
  expect(await errorOf(refused)).toMatchObject({ code: 'handshake_failed', retryable: true });
});

test('a crash loop is warned of, counted and bounded; the gateway stays up', async () => {
  await using house = await stageOf('crash-loop', { WORKER_RESTART_MAX: '4' }, false);
  const { stage } = house;
  const limit = await stage.logged('worker_restart_limit');
  expect(limit).toMatchObject({ level: 'error', restarts: 4 });
  await stage.logged('worker_crash_loop');
  expect(stage.gateway.readiness).toBe('restart_limit_exceeded');
  const exits = stage.logLines.filter(({ event }) => event === 'worker_exit');
  expect(exits[0]).toMatchObject({ code: 7, signal: null });
  const scheduled = stage.logLines.filter(({ event }) => event === 'worker_restart_scheduled');
  expect(scheduled[0]).toMatchObject({ delay: 0, attempt: 2 });
  expect((await fetch(`${stage.url}/livez`)).status).toBe(200);
  const metrics = await (await fetch(`${stage.url}/metrics`)).text();
  expect(metrics).toMatch(/^codex_worker_restarts_total 4$/m);
  expect(metrics).toMatch(/^codex_worker_ready 0$/m);
  expect(metrics).toMatch(/^codex_worker_latency_ms_count [1-9]/m);
});

test('a child that fails to start once is started again at once', async () => {
  await using house = await stageOf('fails-once');
  expect((await healthOf(house.stage)).worker_supervisor).toMatchObject({
    restarts_total: 1,
    last_exit: { code: 1 },
  });
});

test('a crash within a plain request is a retriable 503, and the next request is answered by the next child', async () => {
  await using house = await stageOf('good');
  const { stage } = house;
  for (const content of ['crash', 'crash-before']) {
    const broken = await say(stage, content);
    expect(broken.status).toBe(503);
    expect(broken.headers.get('retry-after')).not.toBeNull();
    expect(await errorOf(broken)).toMatchObject({ code: 'worker_exited', retryable: true });
    await stage.whenReady();
  }
  expect(await contentOf(await say(stage, 'hi'))).toMatch(/^hello from/);
});

test('a crash within a stream gives an error frame and [DONE]', async () => {
  await using house = await stageOf('good');
  const { stage } = house;
  const frames = dataFrames(await (await say(stage, 'crash', { stream: true })).text());
  expect(frames.at(-1)).toBe('[DONE]');
  expect(JSON.parse(frames.at(-2) ?? '')).toMatchObject({
    error: { code: 'worker_exited', retryable: true },
  });
  expect(frames.join('\n')).toContain('half of it');
});

test('a turn that hangs ends with idle_timeout, and frees its slot', async () => {
  await using house = await stageOf('good', {
    // The last request, which does not hang, has no more.
    PROXY_IDLE_TIMEOUT_MS: '1000',
    PROXY_STREAM_IDLE_TIMEOUT_MS: '1000',
    WORKER_MAX_CONCURRENCY: '1',
  });
  const { stage } = house;
  const hung = await say(stage, 'hang');
  expect(hung.status).toBe(504);
  expect(await errorOf(hung)).toMatchObject({ code: 'idle_timeout' });
  const frames = dataFrames(await (await say(stage, 'hang-after-text', { stream: true })).text());
  expect(JSON.parse(frames.at(-2) ?? '')).toMatchObject({ error: { code: 'idle_timeout' } });
  expect(frames.at(-1)).toBe('[DONE]');
  expect(await contentOf(await say(stage, 'hi'))).toMatch(/^hello from/);
});

test('a request that takes too long ends with worker_request_timeout, the smaller limit first', async () => {
  await using house = await stageOf('good', { PROXY_TIMEOUT_MS: '60000', WORKER_REQUEST_TIMEOUT_MS: '300' });
  const late = await say(house.stage, 'never-started');
  expect(late.status).toBe(504);
  expect(await errorOf(late)).toMatchObject({ code: 'worker_request_timeout' });
});

test('a child that does not end its turns is replaced', { timeout: 40_000 }, async () => {
  await using house = await stageOf('deaf', { PROXY_IDLE_TIMEOUT_MS: '200' });
  const { stage } = house;
  const hung = await say(stage, 'hang');
  expect(hung.status).toBe(504);
  expect(await stage.logged('worker_launch', 2)).toMatchObject({ attempt: 2 });
});

test.each([
  ['rubbish', 'still fine'],
  ['separators', 'one\u2028two\u2029three'],
  ['duplicates', 'once'],
  ['unknown-request', 'went on'],
])('%s from the child changes nothing about the answer', async (content, answer) => {
  await using house = await stageOf('good');
  expect(await contentOf(await say(house.stage, content))).toBe(answer);
  const frames = dataFrames(await (await say(house.stage, content, { stream: true })).text());
  expect(frames.filter((frame) => frame === '[DONE]')).toHaveLength(1);
});

test('a line of 10 MB arrives whole', async () => {
  await using house = await stageOf('good');
  expect(await contentOf(await say(house.stage, 'big'))).toHaveLength(10_000_000);
});

test('a child that floods stderr works, and of what it writes a few lines are told, and how much was left out', async () => {
  await using house = await stageOf('floods-stderr');
  const { stage } = house;
  expect(await contentOf(await say(stage, 'hi'))).toMatch(/^hello from/);
  const leftOut = await stage.logged('worker_output_left_out', 2);
  expect(leftOut).toMatchObject({ level: 'warn', stream: 'stderr' });
  expect(Number(leftOut['lines'])).toBeGreaterThan(20);
  const told = stage.logLines.filter(({ event }) => event === 'worker_output').length;
  const windows = stage.logLines.filter(({ event }) => event === 'worker_output_left_out').length + 1;
  expect(told).toBeLessThanOrEqual(windows * 20);
});

test('stopping: not ready, new work refused, work in flight finishes, the child ends and is reaped', async () => {
  await using stage = await openGatewayStage({
    scenario: { conversations: [{ turns: [{ text: 'finished after all', gates: { text: 'g' } }] }] },
  });
  stage.model.hold('g');
  const inFlight = stage.chat();
  await stage.model.waitAtGate('g');
  const pid = (await healthOf(stage)).worker_supervisor.pid;
  const drained = stage.gateway.drain();
  expect((await (await fetch(`${stage.url}/readyz`)).json()) as object).toMatchObject({
    reason: 'shutdown_in_progress',
  });
  const refused = await stage.chat();
  expect(refused.status).toBe(503);
  expect(await errorOf(refused)).toMatchObject({
    code: 'worker_not_ready',
    retryable: true,
    worker_status: { reason: 'shutdown_in_progress' },
  });
  stage.model.release('g');
  expect(await contentOf(await inFlight)).toBe('finished after all');
  await drained;
  await stage.gateway[Symbol.asyncDispose]();
  expect(() => process.kill(pid, 0)).toThrow();
  await stage.logged('shutdown_initiated');
});

test.each(['good', 'ignores-sigterm', 'leaves-grandchild'])(
  'stopping: what outlasts the grace ends with a retriable error, also with a child that is %s',
  { timeout: 40_000 },
  async (part) => {
    await using house = await stageOf(part, { WORKER_SHUTDOWN_GRACE_MS: '100' });
    const { stage } = house;
    const plain = say(stage, 'hang');
    const streamed = say(stage, 'hang-after-text', { stream: true });
    const stream = await streamed;
    const pid = (await healthOf(stage)).worker_supervisor.pid;
    await stage.gateway[Symbol.asyncDispose]();
    expect(await errorOf(await plain)).toMatchObject({ code: 'worker_exited', retryable: true });
    const frames = dataFrames(await stream.text());
    expect(JSON.parse(frames.at(-2) ?? '')).toMatchObject({
      error: { code: 'worker_exited', retryable: true },
    });
    expect(frames.at(-1)).toBe('[DONE]');
    expect(() => process.kill(pid, 0)).toThrow();
  },
);
