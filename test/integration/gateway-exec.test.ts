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
