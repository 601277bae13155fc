import { readdir } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { openGatewayStage, type GatewayStage } from '../support/gateway-stage.ts';
import { scriptedAppServer } from '../support/scripted-app-server.ts';

/** Threads in waiting, processes that are replaced while they work, and what is left of threads that nobody can go on with. */

async function stageOf(part: string, env: Readonly<Record<string, string>> = {}) {
  const stack = new AsyncDisposableStack();
  const child = stack.use(await scriptedAppServer(part));
  const stage = stack.use(await openGatewayStage({ env: { CODEX_BIN: child.bin, ...env } }));
  return { stage, child, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

async function answerTo(stage: GatewayStage, content: string): Promise<string> {
  const answer = await stage.chat({ messages: [{ role: 'user', content }] });
  const text = await answer.text();
  expect(answer.status, text).toBe(200);
  return (JSON.parse(text) as { choices: [{ message: { content: string } }] }).choices[0].message.content;
}

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

test('a spare thread that is refused costs its request nothing: a fresh one is started', async () => {
  await using house = await stageOf('loses-threads');
  const { stage } = house;
  for (let asked = 0; asked < 12; asked += 1) expect(await answerTo(stage, 'hi')).toMatch(/^hello from/);
});

test('spares of a process that has crashed are not used in the next', async () => {
  await using house = await stageOf('good');
  const { stage } = house;
  const before = await answerTo(stage, 'hi');
  await answerTo(stage, 'hi');
  await stage.chat({ messages: [{ role: 'user', content: 'crash' }] });
  await stage.whenReady();
  for (let asked = 0; asked < 4; asked += 1) {
    const after = await answerTo(stage, 'hi');
    expect(after).toMatch(/^hello from/);
    expect(after).not.toBe(before);
  }
});

test('a process is replaced after its turns: no request fails, what it has begun it ends, and then it goes', async () => {
  await using house = await stageOf('good', { CAPSTAN_GATEWAY__REPLACE_AFTER_TURNS: '5' });
  const { stage, child } = house;
  const first = Number(stage.gateway.health().worker_supervisor['pid']);
  const held = await stage.chat({ stream: true, messages: [{ role: 'user', content: 'waits-for-flag' }] });
  const answers = [await answerTo(stage, 'hi')];
  const ask = async (): Promise<void> => {
    while (new Set(answers).size < 3) answers.push(await answerTo(stage, 'hi'));
  };
  await Promise.all([ask(), ask(), ask()]);
  expect(isAlive(first)).toBe(true);
  await child.raiseFlag();
  expect(await held.text()).toContain(`and ended by ${answers[0]?.split(' ').at(-1)}`);
  await expect.poll(() => isAlive(first), { timeout: 10_000 }).toBe(false);

  const status = stage.gateway.health().worker_supervisor;
  expect(status['restarts_total']).toBeGreaterThanOrEqual(2);
  expect(stage.gateway.readiness).toBe('ready');
  expect(await stage.logged('worker_replaced')).toMatchObject({ level: 'info' });
  expect(stage.logLines.filter(({ event }) => event === 'worker_restart_scheduled')).toEqual([]);
});

test('a stop while a replaced process still works waits for that as well', async () => {
  await using house = await stageOf('good', { CAPSTAN_GATEWAY__REPLACE_AFTER_TURNS: '2' });
  const { stage, child } = house;
  const held = await stage.chat({ stream: true, messages: [{ role: 'user', content: 'waits-for-flag' }] });
  await answerTo(stage, 'hi');
  await stage.logged('worker_replaced');
  const drained = stage.gateway.drain();
  await child.raiseFlag();
  await drained;
  const text = await held.text();
  expect(text).toContain('and ended by');
  expect(text).not.toContain('error');
});

test('a successor that does not start changes nothing', async () => {
  await using house = await stageOf('fails-second', { CAPSTAN_GATEWAY__REPLACE_AFTER_TURNS: '2' });
  const { stage } = house;
  const answers: string[] = [];
  for (let asked = 0; asked < 12; asked += 1) answers.push(await answerTo(stage, 'hi'));
  await stage.logged('worker_exit');
  expect(stage.gateway.readiness).toBe('ready');
  expect(await answerTo(stage, 'hi')).toBe(answers[0]);
});

async function rollouts(stage: GatewayStage): Promise<number> {
  const names = await readdir(stage.dir.join('login/sessions'), { recursive: true }).catch(() => []);
  return names.filter((name) => name.endsWith('.jsonl')).length;
}

async function respond(stage: GatewayStage, body: object): Promise<string> {
  const answer = await stage.post('/v1/responses', { model: 'codex-5', ...body });
  const text = await answer.text();
  expect(answer.status, text).toBe(200);
  return (JSON.parse(text) as { id: string }).id;
}

test('a conversation goes on in the process that comes next', async () => {
  await using stage = await openGatewayStage({ env: { CAPSTAN_GATEWAY__REPLACE_AFTER_TURNS: '2' } });
  let previous_response_id: string | undefined;
  for (let asked = 0; asked < 7; asked += 1)
    previous_response_id = await respond(stage, { input: `question ${asked}`, previous_response_id });
  await stage.logged('worker_replaced');
  const { input } = stage.model.requests.at(-1)?.body as { input: object[] };
  const seen = JSON.stringify(input);
  for (let asked = 0; asked < 7; asked += 1) expect(seen).toContain(`question ${asked}`);
  expect(stage.model.problems).toEqual([]);
});

test('nothing is kept of a thread whose response nobody was told of, or cannot be gone on with', async () => {
  await using stage = await openGatewayStage({
    scenario: {
      conversations: [
        { when: 'held', turns: [{ text: 'held for long', chunkChars: 4, gates: { end: 'end' } }] },
        { turns: [{ text: 'one two three four five' }] },
      ],
    },
  });
  await respond(stage, { input: 'kept' });
  expect(await rollouts(stage)).toBe(1);
  await respond(stage, { input: 'cut', max_output_tokens: 1 });
  await respond(stage, { input: 'not stored', store: false });
  await expect.poll(() => rollouts(stage)).toBe(1);

  stage.model.hold('end');
  const leave = new AbortController();
  const body = { model: 'codex-5', input: 'held', stream: true };
  const left = await stage.post('/v1/responses', body, { signal: leave.signal });
  await left.body?.getReader().read();
  expect(await rollouts(stage)).toBe(2);
  leave.abort();
  await expect.poll(() => rollouts(stage), { timeout: 10_000 }).toBe(1);
  stage.model.release('end');
});
