import { expect, test } from 'vitest';
import { dataFrames, errorOf, openGatewayStage } from '../support/gateway-stage.ts';

test('without the app-server each request runs a codex exec, plain, streamed and gone on with', async () => {
  await using stage = await openGatewayStage({ env: { PROXY_USE_APP_SERVER: 'false' } });
  const health = (await (await fetch(`${stage.url}/healthz`)).json()) as object;
  expect(health).toMatchObject({ backend_mode: 'exec', app_server_enabled: false, ok: true });

  const plain = await stage.chat({
    messages: [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'one' },
      { role: 'assistant', content: 'two' },
      { role: 'user', content: 'three' },
    ],
  });
  const text = await plain.text();
  expect(plain.status, text).toBe(200);
  expect(JSON.parse(text)).toMatchObject({
    choices: [{ message: { content: 'Hello from the model.' }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 1000, completion_tokens: 50 },
  });
  const seen = JSON.stringify(stage.model.requests.at(-1)?.body);
  for (const part of ['Be brief.', 'one', 'two', 'three']) expect(seen).toContain(part);

  const frames = dataFrames(await (await stage.chat({ stream: true })).text());
  expect(frames.at(-1)).toBe('[DONE]');
  expect(frames.join('\n')).toContain('Hello from the model.');

  const first = (await (await stage.post('/v1/responses', { model: 'codex-5', input: 'first' })).json()) as {
    id: string;
  };
  const second = await stage.post('/v1/responses', {
    model: 'codex-5',
    input: 'second',
    previous_response_id: first.id,
  });
  expect(second.status).toBe(200);
  expect(stage.model.requests.at(-1)?.threadId).toBe(stage.model.requests.at(-2)?.threadId);
});

test('what only the app-server can do says so', async () => {
  await using stage = await openGatewayStage({ env: { PROXY_USE_APP_SERVER: 'false' } });
  const answer = await stage.chat({ tools: [{ type: 'function', function: { name: 'get' } }] });
  expect(answer.status).toBe(503);
  expect(await errorOf(answer)).toMatchObject({ code: 'app_server_disabled', param: 'tools' });
});

const execOnly = { PROXY_USE_APP_SERVER: 'false' };
const redDot =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==';

test('exec: a client that goes away ends its Codex and frees its slot', async () => {
  await using stage = await openGatewayStage({
    env: { ...execOnly, WORKER_MAX_CONCURRENCY: '1' },
    scenario: {
      conversations: [
        { when: 'held', turns: [{ text: 'never heard', gates: { end: 'end' } }] },
        { turns: [{ text: 'next' }] },
      ],
    },
  });
  stage.model.hold('end');
  const leaving = new AbortController();
  const left = stage.chat(
    { stream: true, messages: [{ role: 'user', content: 'held' }] },
    { signal: leaving.signal },
  );
  await stage.model.waitAtGate('end');
  leaving.abort();
  await expect(left).rejects.toThrow();
  const next = await stage.chat();
  expect(await next.json()).toMatchObject({ choices: [{ message: { content: 'next' } }] });
});

test('exec: stop and max_tokens cut the answer and say so', async () => {
  await using stage = await openGatewayStage({
    env: execOnly,
    scenario: { conversations: [{ turns: [{ text: 'one two END three four five six seven' }] }] },
  });
  const stopped = await stage.chat({ stop: 'END' });
  expect(await stopped.json()).toMatchObject({
    choices: [{ message: { content: 'one two ' }, finish_reason: 'stop' }],
  });
  const cut = await stage.chat({ max_tokens: 1 });
  expect(await cut.json()).toMatchObject({
    choices: [{ message: { content: 'one ' }, finish_reason: 'length' }],
  });
});

test('exec: images and schemas reach the model; an image elsewhere is refused by name', async () => {
  await using stage = await openGatewayStage({
    env: execOnly,
    scenario: { conversations: [{ turns: [{ text: '{"color":"red"}' }] }] },
  });
  const schema = {
    type: 'object',
    properties: { color: { type: 'string' } },
    required: ['color'],
    additionalProperties: false,
  };
  const ask = (url: string): Promise<Response> =>
    stage.chat({
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'What color?' },
            { type: 'image_url', image_url: { url } },
          ],
        },
      ],
      response_format: { type: 'json_schema', json_schema: { name: 'color', schema, strict: true } },
    });
  const seen = await ask(`data:image/png;base64,${redDot}`);
  const text = await seen.text();
  expect(seen.status, text).toBe(200);
  expect(JSON.parse(text)).toMatchObject({ choices: [{ message: { content: '{"color":"red"}' } }] });
  const sent = JSON.stringify(stage.model.requests.at(-1)?.body);
  expect(sent).toContain('data:image/png;base64,');
  expect(sent).toContain('"color":{"type":"string"}');
  const elsewhere = await ask('https://example.org/a.png');
  expect(elsewhere.status).toBe(400);
  expect(await errorOf(elsewhere)).toMatchObject({
    code: 'invalid_request_error',
    param: 'messages[0].content[1].image_url.url',
  });
});
