import { mkdir, writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { dataFrames, errorOf, gatewayKey, openGatewayStage } from '../support/gateway-stage.ts';

interface Completion {
  readonly id: string;
  readonly model: string;
  readonly choices: readonly {
    readonly index: number;
    readonly message: {
      readonly content: string | null;
      readonly tool_calls?: readonly {
        readonly id: string;
        readonly function: { readonly name: string; readonly arguments: string };
      }[];
    };
    readonly finish_reason: string;
  }[];
  readonly usage: { readonly prompt_tokens: number; readonly completion_tokens: number };
}

async function completion(response: Response): Promise<Completion> {
  const text = await response.text();
  expect(response.status, text).toBe(200);
  return JSON.parse(text) as Completion;
}

interface SeenBody {
  readonly input: readonly { readonly type: string; readonly role?: string; readonly content?: unknown }[];
  readonly tools: readonly { readonly name: string }[];
  readonly reasoning?: { readonly effort?: string };
  readonly text?: { readonly format?: { readonly schema?: unknown }; readonly verbosity?: string };
}

const pixel =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

test('a chat reaches the model role by role, and the answer comes back with its usage', async () => {
  await using stage = await openGatewayStage();
  const answer = await stage.chat({
    model: 'codex-5-high',
    temperature: 0.2,
    seed: 7,
    verbosity: 'low',
    messages: [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'one' },
      { role: 'assistant', content: 'two' },
      { role: 'developer', content: [{ type: 'text', text: 'Rhyme.' }] },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'three' },
          { type: 'image_url', image_url: { url: pixel } },
        ],
      },
    ],
  });
  expect(answer.headers.get('x-capstan-ignored')).toBe('temperature, seed');
  expect(answer.headers.get('x-request-id')).not.toBeNull();
  const { id, model, choices, usage } = await completion(answer);
  expect({ model, choices, usage }).toMatchObject({
    model: 'codex-5-high',
    choices: [
      { index: 0, message: { role: 'assistant', content: 'Hello from the model.' }, finish_reason: 'stop' },
    ],
    usage: {
      prompt_tokens: 1000,
      completion_tokens: 50,
      total_tokens: 1050,
      prompt_tokens_details: { cached_tokens: 400 },
    },
  });
  expect(id).toMatch(/^chatcmpl-/);
  const body = stage.model.requests.at(-1)?.body as SeenBody;
  expect(body.input.slice(1).map(({ role }) => role)).toEqual([
    'developer',
    'user',
    'assistant',
    'developer',
    'user',
  ]);
  expect(JSON.stringify(body.input.at(-1)?.content)).toContain(pixel);
  expect(body.reasoning?.effort).toBe('high');
  expect(body.text?.verbosity).toBe('low');
});

test('a stream: the role alone, each piece as it is said, the reason, usage where asked for, [DONE]', async () => {
  await using stage = await openGatewayStage({
    scenario: { conversations: [{ turns: [{ text: 'abcdefgh', chunkChars: 4, gates: { text: 'piece' } }] }] },
  });
  stage.model.hold('piece');
  const asked = stage.chat({ stream: true, stream_options: { include_usage: true } });
  await stage.model.waitAtGate('piece');
  stage.model.step('piece');
  const response = await asked;
  expect(response.status).toBe(200);
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  const readUntil = async (wanted: string): Promise<void> => {
    while (!text.includes(wanted)) {
      const { value, done } = (await reader?.read()) ?? { done: true, value: undefined };
      if (done) throw new Error(`the stream ended before ${wanted}: ${text}`);
      text += value;
    }
  };
  await readUntil('abcd');
  expect(text).not.toContain('efgh');
  stage.model.release('piece');
  await readUntil('[DONE]');
  const frames = dataFrames(text)
    .slice(0, -1)
    .map(
      (frame) =>
        JSON.parse(frame) as {
          id: string;
          choices: { delta: object; finish_reason: unknown }[];
          usage: unknown;
        },
    );
  expect(frames.map(({ choices }) => choices[0]?.delta)).toEqual([
    { role: 'assistant' },
    { content: 'abcd' },
    { content: 'efgh' },
    {},
    undefined,
  ]);
  expect(frames.map(({ choices }) => choices[0]?.finish_reason)).toEqual([
    null,
    null,
    null,
    'stop',
    undefined,
  ]);
  expect(frames.slice(0, -1).every(({ usage }) => usage === null)).toBe(true);
  expect(frames.at(-1)?.usage).toMatchObject({ prompt_tokens: 1000, completion_tokens: 50 });
  expect(new Set(frames.map(({ id }) => id)).size).toBe(1);
  expect(response.headers.get('content-type')).toContain('text/event-stream');
  expect(response.headers.get('cache-control')).toBe('no-cache, no-transform');
  expect(response.headers.get('x-accel-buffering')).toBe('no');
});

test('keep-alive comments come while the model thinks, and can be switched off', async () => {
  await using stage = await openGatewayStage({
    env: { PROXY_SSE_KEEPALIVE_MS: '100' },
    scenario: { conversations: [{ turns: [{ text: 'late', gates: { start: 'g' } }] }] },
  });
  stage.model.hold('g');
  const response = await stage.chat({ stream: true });
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  expect((await reader?.read())?.value).toContain(': keep-alive\n\n');
  const silent = stage.chat({ stream: true }, { headers: { 'x-no-keepalive': '1' } });
  stage.model.release('g');
  expect(await (await silent).text()).not.toContain(': keep-alive');
  await reader?.cancel();
});

test('n choices come from n turns, streamed and not', async () => {
  await using stage = await openGatewayStage();
  const { choices, usage } = await completion(await stage.chat({ n: 3 }));
  expect(choices.map(({ index }) => index)).toEqual([0, 1, 2]);
  expect(usage).toMatchObject({ completion_tokens: 150 });
  const frames = dataFrames(await (await stage.chat({ n: 2, stream: true })).text());
  const ends = frames.filter((frame) => frame.includes('"finish_reason":"stop"'));
  expect(ends).toHaveLength(2);
});

test('stop and max_tokens cut the answer and interrupt the turn', async () => {
  await using stage = await openGatewayStage({
    scenario: {
      conversations: [
        { turns: [{ text: 'one two three four five six seven', chunkChars: 3, gates: { end: 'end' } }] },
      ],
    },
  });
  stage.model.hold('end');
  const stopped = await completion(await stage.chat({ stop: ['ree f', 'zzz'] }));
  expect(stopped.choices[0]).toMatchObject({ message: { content: 'one two th' }, finish_reason: 'stop' });
  const cut = await completion(await stage.chat({ max_tokens: 2 }));
  expect(cut.choices[0]).toMatchObject({ message: { content: 'one two ' }, finish_reason: 'length' });
  await stage.model.waitForIdle();
  stage.model.release('end');
});

test('a JSON schema reaches the model as the format of its answer', async () => {
  await using stage = await openGatewayStage({
    scenario: { conversations: [{ turns: [{ text: '{"a":1}' }] }] },
  });
  const schema = {
    type: 'object',
    properties: { a: { type: 'number' } },
    required: ['a'],
    additionalProperties: false,
  };
  const { choices } = await completion(
    await stage.chat({
      response_format: { type: 'json_schema', json_schema: { name: 'x', schema, strict: true } },
    }),
  );
  expect(choices[0]?.message.content).toBe('{"a":1}');
  expect((stage.model.requests.at(-1)?.body as SeenBody).text?.format?.schema).toEqual(schema);
});

const weather = {
  type: 'function',
  function: {
    name: 'get_weather',
    description: 'The weather of a place',
    parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  },
};

test("a client's tools are offered; calls come back, in one piece and streamed; their answers are told", async () => {
  await using stage = await openGatewayStage({
    scenario: {
      conversations: [
        {
          when: 'weather',
          turns: [
            {
              text: 'Let me look.',
              calls: [
                { name: 'get_weather', arguments: '{"city":  "Rome"}' },
                { name: 'get_weather', arguments: { city: 'Oslo' } },
              ],
            },
            { text: 'Rome is sunny.' },
          ],
        },
      ],
    },
  });
  const messages = [{ role: 'user', content: 'the weather?' }];
  const first = await completion(await stage.chat({ tools: [weather], messages }));
  const [choice] = first.choices;
  expect(choice).toMatchObject({ finish_reason: 'tool_calls', message: { content: 'Let me look.' } });
  const calls = choice?.message.tool_calls ?? [];
  expect(calls.map((call) => call.function)).toEqual([
    { name: 'get_weather', arguments: '{"city":  "Rome"}' },
    { name: 'get_weather', arguments: '{"city":"Oslo"}' },
  ]);
  expect(first.usage).toMatchObject({ prompt_tokens: 1000, completion_tokens: 50 });
  expect(stage.model.requests).toHaveLength(1);

  const single = await completion(
    await stage.chat({ tools: [weather], messages, parallel_tool_calls: false }),
  );
  expect(single.choices[0]?.message.tool_calls).toHaveLength(1);

  const frames = dataFrames(await (await stage.chat({ tools: [weather], messages, stream: true })).text());
  const pieces = frames
    .slice(0, -1)
    .map((frame) => JSON.parse(frame) as { choices: [{ delta: { tool_calls?: object[] } }] });
  expect(pieces.flatMap(({ choices: [{ delta }] }) => delta.tool_calls ?? [])).toMatchObject([
    { index: 0, type: 'function', function: { name: 'get_weather' } },
    { index: 1 },
  ]);
  expect(frames.at(-2)).toContain('"finish_reason":"tool_calls"');

  const followUp = await completion(
    await stage.chat({
      tools: [weather],
      messages: [
        ...messages,
        { role: 'assistant', content: null, tool_calls: calls },
        ...calls.map(({ id }) => ({ role: 'tool', tool_call_id: id, content: 'sunny' })),
      ],
    }),
  );
  expect(followUp.choices[0]).toMatchObject({
    finish_reason: 'stop',
    message: { content: 'Rome is sunny.' },
  });
  expect(stage.model.problems).toEqual([]);
});

test.each([false, true])(
  'tool_choice required: a model that talks instead is told once more, and its talk is not passed on; streamed: %s',
  async (stream) => {
    await using stage = await openGatewayStage({
      scenario: {
        conversations: [
          {
            when: 'weather',
            turns: [
              { text: 'I would rather chat.' },
              { calls: [{ name: 'get_weather', arguments: { city: 'Rome' } }] },
            ],
          },
        ],
      },
    });
    const answer = await stage.chat({
      stream,
      tools: [weather],
      tool_choice: 'required',
      messages: [{ role: 'user', content: 'the weather?' }],
    });
    const text = await answer.text();
    expect(answer.status, text).toBe(200);
    expect(text).toContain('"finish_reason":"tool_calls"');
    expect(text).toContain('Rome');
    expect(text).not.toContain('I would rather chat.');
    if (!stream) expect(JSON.parse(text)).toMatchObject({ usage: { completion_tokens: 100 } });
    const { input } = stage.model.requests.at(-1)?.body as SeenBody;
    const roles = input.slice(-3).map(({ role }) => role);
    expect(roles).toEqual(['user', 'assistant', 'developer']);
    expect(stage.model.problems).toEqual([]);
  },
);

test('tool_choice: none offers no tool, required without a call in two turns is an error that can be tried again', async () => {
  await using stage = await openGatewayStage();
  await completion(await stage.chat({ tools: [weather], tool_choice: 'none' }));
  expect((stage.model.requests.at(-1)?.body as SeenBody).tools.map(({ name }) => name)).not.toContain(
    'get_weather',
  );
  const answer = await stage.chat({ tools: [weather], tool_choice: 'required' });
  expect(answer.status).toBe(502);
  expect(await errorOf(answer)).toMatchObject({ code: 'tool_choice_unmet', retryable: true });
  expect(stage.model.requests).toHaveLength(3);
});

test('a thread of the gateway can neither run a command nor read a file, in whatever way it goes on', async () => {
  await using stage = await openGatewayStage({
    scenario: {
      conversations: [
        {
          when: 'read',
          turns: [
            { commands: ['cat secret; env; ls /'] },
            { patch: '*** Begin Patch\n*** Add File: made.txt\n+x\n*** End Patch' },
            { text: 'tried' },
          ],
        },
        { turns: [{ text: 'hello' }] },
      ],
    },
  });
  const secret = 'the-quick-secret-4711';
  await writeFile(stage.dir.join('secret'), secret);
  await completion(await stage.chat({ messages: [{ role: 'user', content: 'read it' }] }));
  const first = (await (await stage.post('/v1/responses', { model: 'codex-5', input: 'hi' })).json()) as {
    id: string;
  };
  const second = await stage.post('/v1/responses', {
    model: 'codex-5',
    input: 'read it',
    previous_response_id: first.id,
  });
  expect(second.status).toBe(200);
  const outputs = stage.model.requests
    .flatMap(({ body }) => (body as { input: { type: string; output?: unknown }[] }).input)
    .filter(({ type }) => type.endsWith('_output'));
  expect(outputs.length).toBeGreaterThan(0);
  const told = JSON.stringify(outputs);
  for (const word of [secret, 'PATH=', 'usr', 'Success']) expect(told).not.toContain(word);
  // The key is the proxy's alone.
  expect(JSON.stringify(stage.model.requests.map(({ token }) => token))).toContain(gatewayKey);
  expect(stage.logText()).not.toContain(gatewayKey);
});

test('workspace-write: commands run in an empty folder of their own and see nothing else of the machine', async () => {
  await using stage = await openGatewayStage({
    env: { PROXY_SANDBOX_MODE: 'workspace-write' },
    scenario: {
      conversations: [
        {
          when: 'run',
          turns: [
            { commands: ['echo made > file; ls; pwd; ls /work /root /home /tmp; env'] },
            { text: 'did' },
          ],
        },
      ],
    },
  });
  await writeFile(stage.dir.join('secret'), 'x');
  await completion(await stage.chat({ messages: [{ role: 'user', content: 'run it' }] }));
  const output = JSON.stringify(stage.model.requests.at(-1)?.body).split('function_call_output')[1] ?? '';
  expect(output).toContain('file');
  expect(output).not.toContain('secret');
  expect(output).not.toContain(gatewayKey);
});

test('a client that goes away frees its slot and interrupts its turn', async () => {
  await using stage = await openGatewayStage({
    env: { WORKER_MAX_CONCURRENCY: '1', CAPSTAN_GATEWAY__QUEUE_WAIT: '10s' },
    scenario: {
      conversations: [
        { when: 'slow', turns: [{ text: 'begun and held', chunkChars: 5, gates: { end: 'end' } }] },
        { turns: [{ text: 'next' }] },
      ],
    },
  });
  stage.model.hold('end');
  const slow = { messages: [{ role: 'user', content: 'slow' }] };
  for (const stream of [true, false]) {
    const leave = new AbortController();
    const left = stage.chat({ ...slow, stream }, { signal: leave.signal });
    left.catch(() => undefined);
    await stage.model.waitAtGate('end');
    leave.abort();
    expect((await completion(await stage.chat())).choices[0]?.message.content).toBe('next');
    await stage.model.waitForIdle();
  }
});

test('beyond the slots and the queue there is 429 with Retry-After', async () => {
  await using stage = await openGatewayStage({
    env: {
      WORKER_MAX_CONCURRENCY: '1',
      CAPSTAN_GATEWAY__QUEUE_LIMIT: '1',
      CAPSTAN_GATEWAY__QUEUE_WAIT: '300ms',
    },
    scenario: { conversations: [{ turns: [{ text: 'x', gates: { start: 'g' } }] }] },
  });
  stage.model.hold('g');
  const first = stage.chat();
  await stage.model.waitAtGate('g');
  const answers = await Promise.all([stage.chat(), stage.chat()]);
  expect(answers.map(({ status }) => status)).toEqual([429, 429]);
  expect(answers.map(({ headers }) => headers.get('retry-after'))).toEqual(['1', '1']);
  const codes = await Promise.all(answers.map(async (answer) => (await errorOf(answer)).code));
  expect(codes.toSorted()).toEqual(['concurrency_exceeded', 'worker_busy']);
  stage.model.release('g');
  await completion(await first);
});

test('a refused login is 401 auth_required with the way back, and makes the gateway not ready until it works again', async () => {
  await using stage = await openGatewayStage();
  stage.model.setAcceptedKeys(['another-key']);
  const refused = await stage.chat();
  expect(refused.status).toBe(401);
  expect(refused.headers.get('www-authenticate')).not.toBeNull();
  const { code, message } = await errorOf(refused);
  expect(code).toBe('auth_required');
  expect(message).toContain('OPENAI_API_KEY');
  const ready = await fetch(`${stage.url}/readyz`);
  expect(ready.status).toBe(503);
  expect(await ready.json()).toMatchObject({ reason: 'auth_required' });
  expect(await errorOf(await stage.chat({ stream: true }))).toMatchObject({ code: 'auth_required' });
  expect(stage.logText()).not.toContain(gatewayKey);
  stage.model.setAcceptedKeys(undefined);
  await completion(await stage.chat());
  expect((await fetch(`${stage.url}/readyz`)).status).toBe(200);
});

test('a login that is good again makes the gateway ready without a request', async () => {
  await using stage = await openGatewayStage({ env: { CAPSTAN_GATEWAY__LOGIN_PROBE: '100ms' } });
  stage.model.setAcceptedKeys(['another-key']);
  expect((await stage.chat()).status).toBe(401);
  expect(stage.gateway.readiness).toBe('auth_required');
  stage.model.setAcceptedKeys(undefined);
  await stage.logged('auth_renewed');
  expect(stage.gateway.readiness).toBe('ready');
});

test('a login kept in CODEX_HOME that is refused says at once how to log in again', async () => {
  await using stage = await openGatewayStage({
    env: { CAPSTAN_CODEX__AUTH: 'home', CAPSTAN_GATEWAY__LOGIN_PROBE: '100ms' },
    prepare: async (dir, model) => {
      await mkdir(dir.join('login'));
      await writeFile(dir.join('login', 'config.toml'), `openai_base_url = "${model.baseUrl}"\n`);
      await writeFile(dir.join('login', 'auth.json'), JSON.stringify({ OPENAI_API_KEY: 'sk-login-55d1' }));
    },
  });
  await completion(await stage.chat());
  expect(stage.model.requests.at(-1)?.token).toBe('sk-login-55d1');
  stage.model.setAcceptedKeys(['another-key']);
  const refused = await stage.chat();
  expect(refused.status).toBe(401);
  const { code, message } = await errorOf(refused);
  expect(code).toBe('auth_required');
  expect(message).toContain(`CODEX_HOME=${stage.dir.join('login')} codex login`);
  expect(stage.logText()).not.toContain('sk-login-55d1');

  await writeFile(stage.dir.join('login', 'auth.json'), JSON.stringify({ OPENAI_API_KEY: 'another-key' }));
  await stage.logged('auth_renewed');
  await stage.logged('worker_ready', 2);
  await completion(await stage.chat());
  expect(stage.model.requests.at(-1)?.token).toBe('another-key');
});

test.each([
  [{ fault: 'usage_limit' as const }, 429, 'rate_limited'],
  [{ fault: 'context_window_exceeded' as const }, 403, 'context_length_exceeded'],
  [
    { fault: 'status' as const, status: 400, body: { error: { message: 'no such thing' } } },
    400,
    'invalid_request_error',
  ],
  [{ fault: 'failed' as const, code: 'server_is_overloaded', message: 'busy' }, 503, 'upstream_unavailable'],
])('what the provider says becomes the answer: %j', async (fault, status, code) => {
  await using stage = await openGatewayStage({ scenario: { conversations: [{ turns: [fault] }] } });
  const answer = await stage.chat();
  expect(answer.status).toBe(status);
  expect(await errorOf(answer)).toMatchObject({ code });
  if (status === 429) expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(3000);
});
