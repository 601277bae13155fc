import { request as httpRequest } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { errorOf, openGatewayStage, type GatewayStage } from '../support/gateway-stage.ts';
import { scriptedAppServer, type ScriptedAppServer } from '../support/scripted-app-server.ts';
import { fc, runs, timeLimit } from '../support/properties.ts';

const user = (content: unknown) => ({ messages: [{ role: 'user', content }] });

describe('with a child that answers at once', () => {
  let child: ScriptedAppServer;
  let stage: GatewayStage;
  beforeAll(async () => {
    child = await scriptedAppServer('good');
    stage = await openGatewayStage({
      env: { CODEX_BIN: child.bin, CAPSTAN_GATEWAY__MAX_BODY_BYTES: '2000000' },
    });
  });
  afterAll(async () => {
    await stage[Symbol.asyncDispose]();
    await child[Symbol.asyncDispose]();
  });

  test.each([
    ['no messages', { messages: undefined }, 'messages'],
    ['empty messages', { messages: [] }, 'messages'],
    ['messages that are no list', { messages: 'hi' }, 'messages'],
    ['an unknown role', { messages: [{ role: 'robot', content: 'x' }] }, 'messages[0].role'],
    ['empty content', user(''), 'messages[0].content'],
    ['content of another type', user(7), 'messages[0].content'],
    ['an empty list of parts', user([]), 'messages[0].content'],
    ['an unknown part', user([{ type: 'video', video: 'x' }]), 'messages[0].content[0].type'],
    ['audio', user([{ type: 'input_audio', input_audio: {} }]), 'messages[0].content[0].type'],
    [
      'an image that is no base64',
      user([{ type: 'image_url', image_url: { url: 'data:image/png;base64,?!' } }]),
      'messages[0].content[0].image_url.url',
    ],
    [
      'an image that lies elsewhere',
      user([{ type: 'image_url', image_url: { url: 'https://example.org/a.png' } }]),
      'messages[0].content[0].image_url.url',
    ],
    ['n = 0', { n: 0 }, 'n'],
    ['n = 6', { n: 6 }, 'n'],
    ['n = 1.5', { n: 1.5 }, 'n'],
    ['negative max_tokens', { max_tokens: -1 }, 'max_tokens'],
    ['a wrong temperature', { temperature: 'hot' }, 'temperature'],
    ['stream as text', { stream: 'yes' }, 'stream'],
    ['five stop strings', { stop: ['a', 'b', 'c', 'd', 'e'] }, 'stop'],
    ['logprobs', { logprobs: true }, 'logprobs'],
    ['what nobody knows', { wibble: 1 }, 'wibble'],
    [
      'an answer to no call',
      { messages: [{ role: 'tool', tool_call_id: 'x', content: 'y' }] },
      'messages[0].tool_call_id',
    ],
    ['a tool without a name', { tools: [{ type: 'function', function: {} }] }, 'tools[0].function.name'],
    [
      'two tools of one name',
      { tools: [1, 2].map(() => ({ type: 'function', function: { name: 'a' } })) },
      'tools',
    ],
    ['a choice of a tool that is not there', { tool_choice: 'required' }, 'tool_choice'],
  ])('%s is refused with the name of the field', async (_, body, param) => {
    const answer = await stage.chat(body);
    expect(await errorOf(answer)).toMatchObject({
      code: 'invalid_request_error',
      type: 'invalid_request_error',
      param,
    });
    expect(answer.status).toBe(400);
    expect(answer.headers.get('access-control-allow-origin')).toBe('*');
  });

  test.each([
    ['{"model":', 400, 'invalid_json'],
    ['', 400, 'invalid_json'],
    ['[]', 400, 'invalid_request_error'],
    ['null', 400, 'invalid_request_error'],
    ['"text"', 400, 'invalid_request_error'],
    [`{"a":"${'x'.repeat(2_100_000)}"}`, 413, 'request_entity_too_large'],
  ])('%#: a body that cannot be used gets its own code', async (body, status, code) => {
    const answer = await stage.post('/v1/chat/completions', body);
    expect(await errorOf(answer)).toMatchObject({ code });
    expect(answer.status).toBe(status);
  });

  test('an unknown model and an unknown route are 404', async () => {
    const model = await stage.chat({ model: 'gpt-0' });
    expect(model.status).toBe(404);
    expect(await errorOf(model)).toMatchObject({ code: 'model_not_found', param: 'model' });
    expect((await fetch(`${stage.url}/v1/nothing`)).status).toBe(404);
  });

  test('thousands of messages, text of all scripts, and what curl -d sends are taken', async () => {
    const messages = Array.from({ length: 5000 }, (_, index) => ({
      role: index % 2 === 0 ? 'user' : 'assistant',
      content: `message ${index} \u2028 🦫 שלום`,
    }));
    expect((await stage.chat({ messages: [...messages, { role: 'user', content: 'end' }] })).status).toBe(
      200,
    );
    const form = await stage.chat({}, { headers: { 'content-type': 'application/x-www-form-urlencoded' } });
    expect(form.status).toBe(200);
  });

  test('models are listed', async () => {
    const list = (await (await fetch(`${stage.url}/v1/models`)).json()) as { data: { id: string }[] };
    expect(list.data.map(({ id }) => id)).toEqual([
      'codex-5',
      'codex-5-low',
      'codex-5-medium',
      'codex-5-high',
      'gpt-5.5',
    ]);
  });

  test('CORS: preflights are answered, pages of this machine may call, others may not', async () => {
    const preflight = await fetch(`${stage.url}/v1/chat/completions`, {
      method: 'OPTIONS',
      headers: {
        origin: 'http://localhost:3000',
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization',
      },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-headers')).toBe('authorization');
    const local = await stage.chat({}, { headers: { origin: 'http://localhost:3000' } });
    expect(local.headers.get('access-control-allow-origin')).toBe('http://localhost:3000');
    const foreign = await stage.chat({}, { headers: { origin: 'https://evil.example' } });
    expect(foreign.status).toBe(403);
    expect(await errorOf(foreign)).toMatchObject({ code: 'forbidden_origin' });
  });

  test('a Host that is not ours is refused: a rebound name', async () => {
    const { promise, resolve } = Promise.withResolvers<number | undefined>();
    const url = new URL(`${stage.url}/v1/models`);
    httpRequest(url, { headers: { host: 'evil.example' } }, (response) => {
      response.resume();
      resolve(response.statusCode);
    }).end();
    expect(await promise).toBe(403);
  });

  test('metrics have the names and bounded labels that are promised', async () => {
    await (await stage.chat({ stream: true })).text();
    const text = await (await fetch(`${stage.url}/metrics`)).text();
    for (const name of [
      'codex_worker_restarts_total',
      'codex_worker_latency_ms',
      'codex_worker_ready',
      'codex_worker_backoff_ms',
      'codex_http_requests_total',
      'codex_http_errors_total',
      'codex_http_latency_ms',
      'codex_stream_ttfb_ms',
      'codex_stream_duration_ms',
      'codex_streams_active',
    ])
      expect(text).toContain(`# TYPE ${name} `);
    expect(text).not.toContain('gpt-0');
    expect(text).toMatch(
      /codex_http_requests_total\{route="\/v1\/chat\/completions",method="POST",model="codex-5",status_family="2xx"\}/,
    );
    expect(text).toMatch(/^codex_streams_active 0$/m);
  });

  test.each([
    [{ logprobs: true }, "'logprobs' must be false."],
    [{ reasoning_effort: 'huge' }, /^'reasoning_effort' must be "none" or .* or "xhigh"\.$/],
    [{ temperature: 3 }, "'temperature' must be at most 2."],
    [{ max_tokens: 0 }, "'max_tokens' must be at least 1."],
    [{ stop: ['a', 'b', 'c', 'd', 'e'] }, /^'stop' must be a string .* up to 4/],
    [{ tool_choice: 'tea' }, /^'tool_choice' must be "none", .* or a function\.$/],
    [{ messages: [{ role: 'user', content: [{ type: 'file' }] }] }, /must be 'text' or 'image_url'\.$/],
    [{ modalities: ['text', 'audio'] }, "'modalities' must have at most 1 entries."],
  ])('%j: the message says what it may be', async (body, said) => {
    expect((await errorOf(await stage.chat(body))).message).toMatch(said);
  });

  test.each([
    [{ 'content-encoding': 'gzip' }, /Content-Encoding 'gzip'/],
    [{ 'content-type': 'application/json; charset=iso-8859-1' }, /charset 'iso-8859-1'/],
  ])('a body that would be misread is refused, and why: %j', async (headers, said) => {
    const answer = await stage.chat({}, { headers });
    expect(answer.status).toBe(400);
    expect(await errorOf(answer)).toMatchObject({
      code: 'invalid_request_error',
      message: expect.stringMatching(said) as string,
    });
    expect(
      (await stage.chat({}, { headers: { 'content-type': 'text/plain; charset="UTF-8"' } })).status,
    ).toBe(200);
  });

  test(
    'whatever the body, a request is answered once and never with a fault of ours',
    timeLimit(60_000),
    async () => {
      const message = fc.record(
        {
          role: fc.oneof(fc.constantFrom('user', 'assistant', 'system', 'tool', 'developer'), fc.string()),
          content: fc.oneof(
            fc.string(),
            fc.jsonValue(),
            fc.array(fc.record({ type: fc.constantFrom('text', 'image_url', 'x'), text: fc.string() })),
          ),
          tool_call_id: fc.string(),
          tool_calls: fc.jsonValue(),
        },
        { requiredKeys: ['role'] },
      );
      const chat = fc.record(
        {
          model: fc.oneof(fc.constantFrom('codex-5', 'codex-5-low'), fc.jsonValue()),
          messages: fc.oneof(fc.array(message, { maxLength: 4 }), fc.jsonValue()),
          n: fc.oneof(fc.integer({ min: -1, max: 7 }), fc.jsonValue()),
          stop: fc.jsonValue(),
          stream: fc.oneof(fc.boolean(), fc.jsonValue()),
          max_tokens: fc.oneof(fc.integer(), fc.jsonValue()),
          tools: fc.jsonValue(),
          tool_choice: fc.jsonValue(),
          response_format: fc.jsonValue(),
        },
        { requiredKeys: ['model', 'messages'] },
      );
      const response = fc.record(
        {
          model: fc.constant('codex-5'),
          input: fc.oneof(fc.string(), fc.array(message), fc.jsonValue()),
          store: fc.constant(false),
          stream: fc.boolean(),
          text: fc.jsonValue(),
        },
        { requiredKeys: ['model', 'input', 'store'] },
      );
      await fc.assert(
        fc.asyncProperty(fc.oneof(chat, fc.jsonValue(), fc.string()), response, async (body, other) => {
          const answers = await Promise.all([
            stage.post('/v1/chat/completions', body),
            stage.post('/v1/responses', other),
          ]);
          for (const answer of answers) {
            const text = await answer.text();
            expect(answer.status, `${JSON.stringify(body)} ${JSON.stringify(other)} → ${text}`).toBeLessThan(
              500,
            );
            if (answer.status !== 200) expect(JSON.parse(text)).toHaveProperty('error.code');
          }
        }),
        runs(120),
      );
      expect((await stage.chat()).status).toBe(200);
    },
  );
});

test('with a key: needed for /v1, not for health; pages of anywhere that have it may call', async () => {
  await using child = await scriptedAppServer('good');
  await using stage = await openGatewayStage({
    env: { CODEX_BIN: child.bin, PROXY_API_KEY: 'gateway-secret-1' },
  });
  const refused = await stage.chat();
  expect(refused.status).toBe(401);
  expect(refused.headers.get('www-authenticate')).toContain('Bearer');
  expect(await errorOf(refused)).toMatchObject({ code: 'invalid_api_key', type: 'authentication_error' });
  for (const path of ['/healthz', '/readyz', '/livez'])
    expect((await fetch(`${stage.url}${path}`)).status).toBe(200);
  const headers = { authorization: 'Bearer gateway-secret-1', origin: 'https://app.example' };
  const allowed = await stage.chat({}, { headers });
  expect(allowed.status).toBe(200);
  expect(allowed.headers.get('access-control-allow-origin')).toBe('https://app.example');
});

test('requests of one key are counted where that is switched on', async () => {
  await using child = await scriptedAppServer('good');
  await using stage = await openGatewayStage({
    env: {
      CODEX_BIN: child.bin,
      PROXY_RATE_LIMIT_ENABLED: 'true',
      PROXY_RATE_LIMIT_MAX: '2',
      PROXY_RATE_LIMIT_WINDOW_MS: '60000',
    },
  });
  const key = (name: string) => ({ headers: { authorization: `Bearer ${name}` } });
  expect((await stage.chat({}, key('one'))).status).toBe(200);
  expect((await stage.chat({}, key('one'))).status).toBe(200);
  const limited = await stage.chat({}, key('one'));
  expect(limited.status).toBe(429);
  expect(await errorOf(limited)).toMatchObject({ code: 'rate_limited' });
  expect(Number(limited.headers.get('retry-after'))).toBeGreaterThan(1);
  expect((await stage.chat({}, key('two'))).status).toBe(200);
});

test('a reader that stalls costs bounded memory and is let go of', async () => {
  await using child = await scriptedAppServer('good');
  await using stage = await openGatewayStage({ env: { CODEX_BIN: child.bin } });
  const body = JSON.stringify({ model: 'codex-5', stream: true, ...user('pours') });
  // Reads nothing, and so does not see either that the connection is gone.
  const call = httpRequest(`${stage.url}/v1/chat/completions`, { method: 'POST' }, (response) => {
    response.pause();
  });
  call.on('error', () => undefined);
  call.end(body);
  const metrics = async (): Promise<string> => (await fetch(`${stage.url}/metrics`)).text();
  const labels = 'route="/v1/chat/completions",method="POST",model="codex-5",status_family="4xx"';
  await expect.poll(metrics, { timeout: 20_000 }).toContain(`codex_http_requests_total{${labels}} 1`);
  call.destroy();
  expect((await stage.chat()).status).toBe(200);
});

test('a reader that is merely slower than the child gets all of it', async () => {
  await using child = await scriptedAppServer('good');
  await using stage = await openGatewayStage({ env: { CODEX_BIN: child.bin } });
  const text = await (await stage.chat({ stream: true, ...user('big') })).text();
  expect(text.length).toBeGreaterThan(10_000_000);
  expect(text.endsWith('data: [DONE]\n\n')).toBe(true);
});
