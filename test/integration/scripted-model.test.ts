import { readFile, writeFile } from 'node:fs/promises';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { expect, test } from 'vitest';
import { codexPlace, exec, noRetries, startExec } from '../scripted-model/real-codex.ts';
import { startRealAppServer } from '../scripted-model/real-app-server.ts';
import type { TurnInput } from '../scripted-model/scenario.ts';
import { startScriptedModel } from '../scripted-model/start-scripted-model.ts';

/** A scenario of one conversation, for any prompt. */
const always = (...turns: TurnInput[]) => ({ conversations: [{ turns }] });
const stopAt = { exitCode: 0 };

test('text arrives whole, however it is chunked, and usage adds up', async () => {
  const text = 'Grüße 👋 from a model that speaks in small pieces.';
  await using model = await startScriptedModel({
    scenario: always({
      text,
      chunkChars: 3,
      gapMs: 1,
      usage: { input: 70, cached: 30, output: 9, reasoning: 2 },
    }),
  });
  await using place = await codexPlace(model);
  const result = await exec(place, 'say it');
  expect(result).toMatchObject({ ...stopAt, message: text });
  expect(result.events.at(-1)?.usage).toMatchObject({
    input_tokens: 70,
    cached_input_tokens: 30,
    output_tokens: 9,
    reasoning_output_tokens: 2,
  });
  expect(model.usage).toEqual({ replies: 1, input: 70, cached: 30, output: 9, reasoning: 2 });
  expect(model.requests).toMatchObject([{ prompt: 'say it', turn: 0, token: 'sk-scripted-0123456789' }]);
  expect(model.openStreams).toBe(0);
});

test('commands run, patches change files, reasoning and the output block are shown', async () => {
  const patch = '*** Begin Patch\n*** Update File: page.txt\n@@\n-old\n+new\n*** End Patch';
  await using model = await startScriptedModel({
    scenario: always(
      {
        reasoning: 'First look.',
        text: 'Looking.',
        commands: ['echo one > one.txt', { cmd: 'pwd', workdir: '/' }],
      },
      { patch },
      {
        final: {
          text: 'Done.',
          summary: 'Changed the page.',
          files: [{ change: 'modified', path: 'page.txt' }],
        },
      },
    ),
  });
  await using place = await codexPlace(model);
  await writeFile(path.join(place.workspace, 'page.txt'), 'old\n');
  const result = await exec(place, 'change the page');
  expect(await readFile(path.join(place.workspace, 'one.txt'), 'utf8')).toBe('one\n');
  expect(await readFile(path.join(place.workspace, 'page.txt'), 'utf8')).toBe('new\n');
  expect(result.items).toContainEqual(expect.objectContaining({ type: 'reasoning', text: 'First look.' }));
  expect(result.items).toContainEqual(
    expect.objectContaining({ type: 'command_execution', exit_code: 0, aggregated_output: '/\n' }),
  );
  expect(result.items).toContainEqual(expect.objectContaining({ type: 'file_change' }));
  expect(result.message).toBe('Done.\n\nFILES_CHANGED:\n- modified: page.txt\n\nSUMMARY:\nChanged the page.');
  expect(model.requests.map(({ turn }) => turn)).toEqual([0, 1, 2]);
  expect(model.problems).toEqual([]);
});

const faults: readonly {
  readonly turn: TurnInput;
  readonly says: RegExp;
  readonly info: unknown;
}[] = [
  {
    turn: { fault: 'unauthorized' },
    says: /401 Unauthorized: Incorrect API key/,
    info: { httpConnectionFailed: { httpStatusCode: 401 } },
  },
  { turn: { fault: 'usage_limit' }, says: /usage limit.*try again at/, info: 'usageLimitExceeded' },
  {
    turn: { fault: 'rate_limit' },
    says: /last status: 429/,
    info: { responseTooManyFailedAttempts: { httpStatusCode: 429 } },
  },
  { turn: { fault: 'server_error' }, says: /high demand/, info: 'internalServerError' },
  { turn: { fault: 'overloaded' }, says: /at capacity/, info: 'serverOverloaded' },
  {
    turn: { fault: 'status', status: 403 },
    says: /403 Forbidden/,
    info: { httpConnectionFailed: { httpStatusCode: 403 } },
  },
  { turn: { fault: 'status', status: 400 }, says: /scripted status 400/, info: 'other' },
  {
    turn: { fault: 'context_window_exceeded' },
    says: /ran out of room in the model's context window/,
    info: 'contextWindowExceeded',
  },
  {
    turn: { fault: 'failed', code: 'rate_limit_exceeded', message: 'Please try again in 0.1s.' },
    says: /rate limit exceeded/,
    info: 'rateLimitExceeded',
  },
  {
    turn: { fault: 'failed', code: 'insufficient_quota', message: 'No money.' },
    says: /Quota exceeded/,
    info: 'usageLimitExceeded',
  },
  { turn: { fault: 'failed', code: 'server_error', message: 'boom' }, says: /boom/, info: 'other' },
  { turn: { fault: 'cut', afterEvents: 4 }, says: /stream disconnected before completion/, info: 'other' },
];

test.each(faults)('exec reports $turn as the README says', async ({ turn, says }) => {
  await using model = await startScriptedModel({ scenario: always(turn) });
  await using place = await codexPlace({ ...model, provider: noRetries });
  const result = await exec(place, 'go');
  expect(result.exitCode).toBe(1);
  expect(result.errors).toEqual([expect.stringMatching(says)]);
  expect(result.events.at(-1)).toMatchObject({ type: 'turn.failed', error: { message: result.errors[0] } });
  expect(model.requests).toHaveLength(1);
});

test('the app-server gives each fault the codexErrorInfo that the README says', async () => {
  await using model = await startScriptedModel({
    scenario: {
      conversations: faults.map(({ turn }, at) => ({ when: `fault ${String(at)}.`, turns: [turn] })),
    },
  });
  await using place = await codexPlace({ ...model, provider: noRetries });
  await using server = await startRealAppServer(place);
  const ends = await Promise.all(faults.map((_, at) => server.turn(`fault ${String(at)}.`)));
  for (const [at, { info, says }] of faults.entries()) {
    expect(ends[at]).toMatchObject({ status: 'failed', retried: [], error: { codexErrorInfo: info } });
    expect(ends[at]?.error?.message).toMatch(says);
  }
});

test('the knobs of the provider count retries, also for one thread of an app-server', async () => {
  await using model = await startScriptedModel({ scenario: always({ fault: 'server_error' }) });
  await using place = await codexPlace(model);
  await using server = await startRealAppServer(place);
  const end = await server.turn('go', {
    name: 'job',
    base_url: model.baseUrl,
    wire_api: 'responses',
    experimental_bearer_token: 'sk-of-this-job',
    request_max_retries: 1,
    stream_max_retries: 1,
  });
  expect(end).toMatchObject({ status: 'failed', error: { codexErrorInfo: 'internalServerError' } });
  expect(end.retried).toEqual([{ responseStreamDisconnected: { httpStatusCode: null } }]);
  expect(model.requests.map(({ token }) => token)).toEqual(Array(4).fill('sk-of-this-job'));
});

test('a 429 without retry-after ends the turn at once', async () => {
  await using model = await startScriptedModel({ scenario: always({ fault: 'status', status: 429 }) });
  await using place = await codexPlace(model);
  expect((await exec(place, 'go')).errors).toEqual([expect.stringContaining('last status: 429')]);
  expect(model.requests).toHaveLength(1);
});

test('the built-in provider tries a websocket once, is told 426, and uses the stored key over HTTP', async () => {
  await using model = await startScriptedModel({ scenario: always({ text: 'hi' }) });
  await using place = await codexPlace({ ...model, key: 'sk-stored-login', provider: 'built-in' });
  expect((await exec(place, 'go')).message).toBe('hi');
  expect(model.requests).toMatchObject([
    { method: 'GET', headers: { upgrade: 'websocket' } },
    { method: 'POST', token: 'sk-stored-login' },
  ]);
});

test('a stream that stands still past stream_idle_timeout_ms is given up', async () => {
  await using model = await startScriptedModel({
    scenario: always({ text: 'never', gates: { text: 'mid' } }),
  });
  model.hold('mid');
  await using place = await codexPlace({
    ...model,
    provider: [...noRetries, 'stream_idle_timeout_ms = 200'],
  });
  const result = await exec(place, 'go');
  expect(result.errors).toEqual([expect.stringContaining('idle timeout waiting for SSE')]);
});

test('a fault with `times` gives way, and the CLI goes on by itself', async () => {
  await using model = await startScriptedModel({
    scenario: always(
      { commands: ['echo once >> log.txt'] },
      { fault: 'cut', afterEvents: 3, times: 1 },
      { fault: 'server_error', times: 1 },
      { text: 'recovered' },
    ),
  });
  await using place = await codexPlace(model);
  const result = await exec(place, 'go');
  expect(result).toMatchObject({ exitCode: 0, message: 'recovered' });
  expect(await readFile(path.join(place.workspace, 'log.txt'), 'utf8')).toBe('once\n');
  expect(model.requests.map(({ turn }) => turn)).toEqual([0, 1, 2, 3]);
});

test('a gate stops the model in the middle of a turn until it is released', async () => {
  await using model = await startScriptedModel({
    scenario: always({ text: 'abcdef', chunkChars: 2, gates: { text: 'chunk', end: 'end' } }),
  });
  model.hold('chunk');
  model.hold('end');
  await using place = await codexPlace(model);
  await using running = startExec(place, 'go');
  for (let chunk = 0; chunk < 3; chunk += 1) {
    await model.waitAtGate('chunk');
    model.step('chunk');
  }
  await model.waitAtGate('end');
  expect(model.openStreams).toBe(1);
  expect(running.child.exitCode).toBeNull();
  model.release('end');
  expect(await running.result).toMatchObject({ exitCode: 0, message: 'abcdef' });
});

test('a hanging model answers when it is released, and frees the stream when the client is killed', async () => {
  await using model = await startScriptedModel({ scenario: always({ fault: 'hang' }, { text: 'at last' }) });
  await using place = await codexPlace(model);
  {
    await using killed = startExec(place, 'go');
    await model.waitAtGate('hang');
    killed.child.kill('SIGKILL');
  }
  await model.waitForIdle();
  await using running = startExec(place, 'go');
  await model.waitAtGate('hang');
  model.release('hang');
  expect(await running.result).toMatchObject({ exitCode: 0, message: 'at last' });
});

test('a never-ending turn calls tools until somebody ends it', async () => {
  await using model = await startScriptedModel({
    scenario: always({ fault: 'never_ending', command: 'echo again >> log.txt' }),
  });
  await using place = await codexPlace(model);
  await using running = startExec(place, 'go');
  let calls = 0;
  await model.waitForRequest(() => (calls += 1) > 3);
  running.child.kill('SIGINT');
  await running.result;
  expect(await readFile(path.join(place.workspace, 'log.txt'), 'utf8')).toMatch(/^(again\n){3}/);
});

test('huge text and huge command output get through', async () => {
  await using model = await startScriptedModel({
    scenario: always({ huge: { commandMb: 3 } }, { huge: { textMb: 3 } }),
  });
  await using place = await codexPlace(model);
  const result = await exec(place, 'go');
  expect(result.exitCode).toBe(0);
  expect(result.message.length).toBeGreaterThanOrEqual(3_000_000);
  expect(result.items.find(({ type }) => type === 'command_execution')).toMatchObject({ exit_code: 0 });
});

test('only accepted keys are served, by the model list too', async () => {
  await using model = await startScriptedModel({
    scenario: always({ text: 'hi' }),
    acceptedKeys: ['sk-good'],
  });
  const list = (key: string) =>
    fetch(`${model.baseUrl}/models`, { headers: { authorization: `Bearer ${key}` } });
  expect(await (await list('sk-good')).json()).toMatchObject({ object: 'list', data: [{ id: 'gpt-5.5' }] });
  const refused = await list('sk-wrong-key');
  expect(refused.status).toBe(401);
  expect(await refused.json()).toMatchObject({ error: { code: 'invalid_api_key' } });
  await using place = await codexPlace({ ...model, key: 'sk-wrong-key', provider: noRetries });
  expect((await exec(place, 'go')).errors).toEqual([expect.stringContaining('401 Unauthorized')]);
});

test('a resumed thread goes on with its script where the prompt is a continuation, or takes its own', async () => {
  await using model = await startScriptedModel({
    scenario: {
      continuations: ['Continue'],
      conversations: [
        { name: 'work', when: 'build', turns: [{ commands: ['true'] }, { text: 'half' }, { text: 'whole' }] },
        { name: 'own', when: { regex: '^finish', flags: 'i' }, turns: [{ text: 'own script' }] },
      ],
    },
  });
  await using place = await codexPlace(model);
  const first = await exec(place, 'build it');
  expect(first.message).toBe('half');
  expect((await exec(place, 'resume', first.threadId, 'Continue')).message).toBe('whole');
  expect((await exec(place, 'resume', first.threadId, 'FINISH now')).message).toBe('own script');
  expect((await exec(place, 'resume', first.threadId, 'Continue')).message).toContain('has no turn 1');
  expect(model.problems).toEqual(['conversation "own" has no turn 1']);
});

test('a thread killed in the middle of a turn resumes at the turn it had reached', async () => {
  await using model = await startScriptedModel({
    scenario: {
      continuations: ['Continue'],
      conversations: [
        {
          when: 'build',
          turns: [
            { commands: ['echo a >> log.txt'] },
            { text: 'x', commands: ['echo b >> log.txt'], gates: { text: 'mid' } },
            { text: 'end' },
          ],
        },
      ],
    },
  });
  model.hold('mid');
  await using place = await codexPlace(model);
  await using killed = startExec(place, 'build it');
  await model.waitAtGate('mid');
  const threadId = model.requests.at(-1)?.threadId ?? '';
  killed.child.kill('SIGKILL');
  await killed.result;
  model.release('mid');
  expect((await exec(place, 'resume', threadId, 'Continue')).message).toBe('end');
  expect(await readFile(path.join(place.workspace, 'log.txt'), 'utf8')).toBe('a\nb\n');
});

test('eight threads of one app-server keep their places, by prompt and by key', async () => {
  const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
  await using model = await startScriptedModel({
    scenario: {
      conversations: [
        { name: 'keyed', key: 'sk-special', turns: [{ text: 'by key' }] },
        ...names.map((name) => ({
          name,
          when: `job ${name}.`,
          turns: [{ commands: [`echo 1 >> ${name}`] }, { commands: [`echo 2 >> ${name}`] }, { text: name }],
        })),
      ],
    },
  });
  await using place = await codexPlace(model);
  await using server = await startRealAppServer(place);
  const special = server.turn('anything', {
    name: 'job',
    base_url: model.baseUrl,
    wire_api: 'responses',
    experimental_bearer_token: 'sk-special',
  });
  const ends = await Promise.all([special, ...names.map((name) => server.turn(`job ${name}.`))]);
  expect(ends.map(({ status }) => status)).toEqual(Array(9).fill('completed'));
  for (const name of names) expect(await readFile(path.join(place.workspace, name), 'utf8')).toBe('1\n2\n');
  expect(model.requests.filter(({ conversation }) => conversation === 'keyed')).toHaveLength(1);
  expect(model.problems).toEqual([]);
});

test('turns can be a function of the request', async () => {
  await using model = await startScriptedModel({
    scenario: {
      conversations: [
        {
          turns: (index, { history }) =>
            index === 0
              ? { commands: ['echo from the tool'] }
              : { text: history.at(-1)?.kind === 'result' ? 'the tool answered' : 'nothing' },
        },
      ],
    },
  });
  await using place = await codexPlace(model);
  expect((await exec(place, 'go')).message).toBe('the tool answered');
});

test('the program prints its base URL, serves a scenario file, and ends on SIGTERM', async () => {
  await using place = await codexPlace({ baseUrl: 'http://127.0.0.1:9/v1' });
  const file = place.join('scenario.json');
  await writeFile(file, JSON.stringify(always({ text: 'hi' })));
  const main = path.join(import.meta.dirname, '../scripted-model/main.ts');
  const child = spawn(process.execPath, [main, '--scenario', file, '--key', 'sk-a'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(child.stdout.setEncoding('utf8'), 'data')) as [string];
  const answer = await fetch(`${line.trim()}/models`, { headers: { authorization: 'Bearer sk-a' } });
  expect(answer.status).toBe(200);
  await answer.text();
  child.kill('SIGTERM');
  expect(await once(child, 'exit')).toEqual([0, null]);
});

test('a scenario with a mistake is refused with the place of the mistake', async () => {
  const wrong = { conversations: [{ turns: [{ fault: 'cut' }] }] } as never;
  await expect(startScriptedModel({ scenario: wrong })).rejects.toThrow(/afterEvents/);
});
