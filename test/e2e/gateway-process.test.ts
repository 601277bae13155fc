import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { text as textOf } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { startScriptedModel, type ScriptedModel } from '../scripted-model/start-scripted-model.ts';
import { descendants } from '../support/descendants.ts';
import { dataFrames } from '../support/gateway-stage.ts';
import { killQuietly } from '../support/kill-quietly.ts';
import { needs } from '../support/needs.ts';
import { scriptedAppServer } from '../support/scripted-app-server.ts';
import { tempDir } from '../support/temp-dir.ts';
import { runVariable, testRunId } from '../support/test-run.ts';

interface Ready {
  readonly gateway: { readonly reason: string };
}

interface Process extends AsyncDisposable {
  readonly child: ChildProcessByStdio<null, null, Readable>;
  readonly url: string;
  readonly said: () => string;
  readonly exited: Promise<unknown[]>;
}

const bin = path.join(import.meta.dirname, '../../bin/capstan.js');

async function start(
  args: readonly string[],
  model: ScriptedModel,
  env: Readonly<Record<string, string>> = {},
  wrapper: readonly string[] = [],
): Promise<Process> {
  // With a CAPSTAN_DATA of the caller's own nothing of it is in here.
  const dir = await tempDir('cache');
  const words = [...wrapper, process.execPath, bin, ...args, '--port', '0'];
  const child = spawn(words[0] ?? '', words.slice(1), {
    cwd: dir.path,
    stdio: ['ignore', 'ignore', 'pipe'],
    env: {
      PATH: process.env['PATH'],
      HOME: dir.path,
      TMPDIR: process.env['TMPDIR'],
      [runVariable]: testRunId(),
      CAPSTAN_DATA: dir.join('data'),
      OPENAI_API_KEY: 'sk-process-0001',
      CAPSTAN_CODEX__BASE_URL: model.baseUrl,
      ...env,
    },
  });
  const exited = once(child, 'exit');
  let text = '';
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  child.stderr.setEncoding('utf8').on('data', (piece: string) => {
    text += piece;
    const url = /(http:\/\/[\d.]+:\d+)/.exec(
      text
        .split('\n')
        .filter((line) => line.startsWith('Capstan'))
        .join(),
    )?.[1];
    if (url !== undefined) resolve(url);
  });
  void exited.then(() => {
    reject(new Error(`it ended: ${text}`));
  });
  return {
    child,
    url: await promise,
    said: () => text,
    exited,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await exited;
      await dir[Symbol.asyncDispose]();
    },
  };
}

async function ready({ url }: Process): Promise<void> {
  const limit = AbortSignal.timeout(20_000);
  while ((await fetch(`${url}/v1/chat/completions`, { method: 'POST', body: chat('hi') })).status === 503) {
    limit.throwIfAborted();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const chat = (content: string, body: object = {}): string =>
  JSON.stringify({ model: 'codex-5', messages: [{ role: 'user', content }], ...body });

function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

const scenario = {
  conversations: [
    { when: 'held', turns: [{ text: 'in flight', gates: { end: 'end' } }] },
    { turns: [{ text: 'hello' }] },
  ],
};

test('SIGTERM: requests in flight finish, the exit code is 0, and no process is left', async () => {
  await using model = await startScriptedModel({ scenario });
  await using gateway = await start(['gateway'], model);
  await ready(gateway);
  model.hold('end');
  const stream = await fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    body: chat('held', { stream: true }),
  });
  await model.waitAtGate('end');
  const below = descendants(gateway.child.pid ?? 0);
  expect(below.length).toBeGreaterThan(0);
  gateway.child.kill('SIGTERM');
  const limit = AbortSignal.timeout(10_000);
  while (
    ((await (await fetch(`${gateway.url}/readyz`)).json()) as { reason: string }).reason !==
    'shutdown_in_progress'
  )
    limit.throwIfAborted();
  model.release('end');
  expect(dataFrames(await stream.text()).at(-1)).toBe('[DONE]');
  expect(await gateway.exited).toEqual([0, null]);
  expect(below.filter(isAlive)).toEqual([]);
  expect(gateway.said()).not.toContain('sk-process-0001');
});

test('SIGTERM: what outlasts the grace gets an error frame and [DONE]', async () => {
  await using model = await startScriptedModel({ scenario });
  await using gateway = await start(['gateway'], model, { WORKER_SHUTDOWN_GRACE_MS: '200' });
  await ready(gateway);
  model.hold('end');
  const stream = await fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    body: chat('held', { stream: true }),
  });
  await model.waitAtGate('end');
  gateway.child.kill('SIGTERM');
  const frames = dataFrames(await stream.text());
  expect(frames.at(-1)).toBe('[DONE]');
  expect(frames.at(-2)).toContain('worker_exited');
  expect(await gateway.exited).toEqual([0, null]);
});

test('SIGKILL of the gateway leaves nothing of its Codex', async () => {
  await using model = await startScriptedModel({ scenario });
  await using gateway = await start(['gateway'], model);
  await ready(gateway);
  const below = descendants(gateway.child.pid ?? 0);
  gateway.child.kill('SIGKILL');
  await gateway.exited;
  const limit = AbortSignal.timeout(10_000);
  while (below.some(isAlive)) {
    limit.throwIfAborted();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
});

test.each(['true', 'false'])(
  'SIGKILL of the gateway in the middle of a response: the next start removes its thread and its folders, and no other; with the app-server: %s',
  async (useAppServer) => {
    await using model = await startScriptedModel({ scenario });
    await using data = await tempDir('cache');
    const codexHome = data.join('gateway/codex-home');
    const env = {
      CAPSTAN_DATA: data.path,
      PROXY_USE_APP_SERVER: useAppServer,
      PROXY_SANDBOX_MODE: 'workspace-write',
    };
    const filesOf = async (folder: string): Promise<string[]> =>
      (await readdir(folder, { recursive: true }).catch(() => [])).filter((name) =>
        /\.jsonl$|turn-/.test(name),
      );
    const respond = (url: string, body: object): Promise<Response> =>
      fetch(`${url}/v1/responses`, { method: 'POST', body: JSON.stringify({ model: 'codex-5', ...body }) });
    let stored: { readonly id: string };
    {
      await using gateway = await start(['gateway'], model, env);
      await ready(gateway);
      stored = (await (await respond(gateway.url, { input: 'kept' })).json()) as { id: string };
      await expect.poll(() => filesOf(codexHome)).toHaveLength(1);
      model.hold('end');
      const left = respond(gateway.url, { input: 'held' });
      left.catch(() => undefined);
      await model.waitAtGate('end');
      expect(await filesOf(codexHome)).toHaveLength(2);
      gateway.child.kill('SIGKILL');
      await gateway.exited;
      await expect(left).rejects.toThrow();
      model.release('end');
    }
    // What is not the gateway's stays, whatever it is called.
    const foreign = `${codexHome}/sessions/2020/01/01/rollout-2020-01-01T00-00-00-01a205b8-0a26-7660-98c9-eef4cade3dd9.jsonl`;
    await mkdir(path.dirname(foreign), { recursive: true });
    await writeFile(foreign, '{}\n');
    await using gateway = await start(['gateway'], model, env);
    await ready(gateway);
    expect(await filesOf(codexHome)).toHaveLength(2);
    expect(await filesOf(data.join('gateway'))).toHaveLength(2);
    const next = await respond(gateway.url, { input: 'hi', previous_response_id: stored.id });
    expect(next.status).toBe(200);
    expect(model.requests.at(-1)?.threadId).toBe(
      model.requests.find(({ prompt }) => prompt === 'kept')?.threadId,
    );
  },
  60_000,
);

test('SIGKILL of the child: every request is answered, errors can be tried again, and it is ready again by itself', async () => {
  await using model = await startScriptedModel({ scenario });
  await using gateway = await start(['gateway'], model);
  await ready(gateway);
  const statuses = new Set<number>();
  const limit = AbortSignal.timeout(30_000);
  const pidOf = async (): Promise<number> =>
    ((await (await fetch(`${gateway.url}/healthz`)).json()) as { worker_supervisor: { pid: number } })
      .worker_supervisor.pid;
  const before = await pidOf();
  let isBack = false;
  const load = Array.from({ length: 3 }, async () => {
    while (!isBack) {
      limit.throwIfAborted();
      const answer = await fetch(`${gateway.url}/v1/chat/completions`, { method: 'POST', body: chat('hi') });
      const body = (await answer.json()) as { error?: { retryable?: boolean } };
      statuses.add(answer.status);
      if (answer.status !== 200) expect(body.error?.retryable).toBe(true);
      else if ((await pidOf()) !== before) isBack = true;
    }
  });
  for (const pid of [before, ...descendants(before)]) if (isAlive(pid)) killQuietly(pid);
  await Promise.all(load);
  for (const status of statuses) expect([200, 503]).toContain(status);
});

test.each([
  [{ PROXY_HOST: '0.0.0.0' }, /without an API key[^]*PROXY_API_KEY/],
  [{ PROXY_SANDBOX_MODE: 'danger-full-access' }, /PROXY_SANDBOX_MODE.*read-only, workspace-write/],
  [{ CODEX_BIN: '/nowhere/codex' }, /codex_missing/],
])('%j: it does not start, and says why', async (env, said) => {
  await using dir = await tempDir('cache');
  const child = spawn(process.execPath, [bin, 'gateway', '--port', '0'], {
    cwd: dir.path,
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { PATH: process.env['PATH'], HOME: dir.path, CAPSTAN_DATA: dir.join('data'), ...env },
  });
  const [text, [code]] = await Promise.all([textOf(child.stderr), once(child, 'exit')]);
  expect(code).toBe(2);
  expect(text).toMatch(said);
});

test('capstan serve has the same under /v1', async () => {
  await using model = await startScriptedModel({ scenario });
  await using server = await start(['serve', '--no-worker'], model);
  await ready(server);
  const answer = await fetch(`${server.url}/v1/chat/completions`, { method: 'POST', body: chat('hi') });
  expect(await answer.json()).toMatchObject({ choices: [{ message: { content: 'hello' } }] });
  expect((await fetch(`${server.url}/v1/models`)).status).toBe(200);
  expect((await fetch(`${server.url}/api/jobs`)).status).toBe(200);
  expect(await (await fetch(`${server.url}/metrics`)).text()).toContain('codex_worker_ready 1');
  expect(await (await fetch(`${server.url}/healthz`)).json()).toMatchObject({
    ok: true,
    readiness: { status: 'ok', reason: 'ready' },
    backend_mode: 'app-server',
    app_server_enabled: true,
    sandbox_mode: 'read-only',
    worker_supervisor: { enabled: true, running: true, ready: true, restarts_total: 0 },
    health: { readiness: { ready: true, reason: 'ready' }, liveness: { live: true } },
  });
  const both = { status: 'ok', reason: 'ready', gateway: { status: 'ok', reason: 'ready' } };
  for (const query of ['', '?of=gateway', '?of=jobs']) {
    const answer = await fetch(`${server.url}/readyz${query}`);
    expect([answer.status, await answer.json()]).toEqual([200, both]);
  }
  expect((await fetch(`${server.url}/readyz?of=tea`)).status).toBe(400);
  server.child.kill('SIGTERM');
  expect(await server.exited).toEqual([0, null]);
});

test('under capstan serve a gateway that is not ready hides neither itself nor that jobs work', async () => {
  await using model = await startScriptedModel({ scenario });
  await using codex = await scriptedAppServer('never-ready');
  await using server = await start(['serve', '--no-worker'], model, {
    CODEX_BIN: codex.bin,
    WORKER_STARTUP_TIMEOUT_MS: '60000',
    WORKER_HANDSHAKE_TIMEOUT_MS: '60000',
  });
  const limit = AbortSignal.timeout(20_000);
  const ask = async (query: string): Promise<{ status: number; body: Ready }> => {
    const answer = await fetch(`${server.url}/readyz${query}`, { signal: limit });
    return { status: answer.status, body: (await answer.json()) as Ready };
  };
  while ((await ask('')).body.gateway.reason !== 'handshake_pending')
    await new Promise((resolve) => setTimeout(resolve, 20));
  const gateway = { status: 'unavailable', reason: 'handshake_pending' };
  expect(await ask('')).toEqual({ status: 200, body: { status: 'ok', reason: 'ready', gateway } });
  expect(await ask('?of=gateway')).toEqual({ status: 503, body: { ...gateway, gateway } });
  expect(await (await fetch(`${server.url}/healthz`)).json()).toMatchObject({
    ok: false,
    readiness: { status: 'ok' },
    worker_supervisor: { ready: false },
    health: { readiness: { ready: false, reason: 'handshake_pending' } },
  });
  expect((await fetch(`${server.url}/api/jobs`)).status).toBe(200);
});

needs('root').test(
  'as pid 1 of a container, SIGTERM drains, exits 0 and leaves no process',
  async () => {
    await using model = await startScriptedModel({ scenario });
    await using container = await start(['gateway'], model, {}, [
      'unshare',
      '--pid',
      '--fork',
      '--mount-proc',
    ]);
    await ready(container);
    model.hold('end');
    const stream = await fetch(`${container.url}/v1/chat/completions`, {
      method: 'POST',
      body: chat('held', { stream: true }),
    });
    await model.waitAtGate('end');
    const all = descendants(container.child.pid ?? 0);
    // The init of that namespace: what `docker stop` and the kubelet send their signal to.
    const [init = 0] = all;
    expect(/^NSpid:\s+\d+\s+1$/m.test(readFileSync(`/proc/${init}/status`, 'utf8'))).toBe(true);
    expect(all.length).toBeGreaterThan(1);
    process.kill(init, 'SIGTERM');
    const limit = AbortSignal.timeout(10_000);
    while (
      ((await (await fetch(`${container.url}/readyz`)).json()) as { reason: string }).reason !==
      'shutdown_in_progress'
    )
      limit.throwIfAborted();
    model.release('end');
    expect(dataFrames(await stream.text()).at(-1)).toBe('[DONE]');
    expect(await container.exited).toEqual([0, null]);
    expect(all.filter(isAlive)).toEqual([]);
  },
  40_000,
);
