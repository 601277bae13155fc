import { expect, test } from 'vitest';
import type { RecordedRequest } from '../scripted-model/request-log.ts';
import { dataFrames, errorOf, openGatewayStage, type GatewayStage } from '../support/gateway-stage.ts';

const answering = {
  conversations: [
    { when: 'first', turns: [{ text: 'answer one' }] },
    { when: 'second', turns: [{ text: 'answer two' }] },
    { when: 'other', turns: [{ text: 'answer other' }] },
  ],
};

interface ResponseBody {
  readonly id: string;
  readonly status: string;
  readonly output: readonly {
    readonly type: string;
    readonly call_id?: string;
    readonly name?: string;
    readonly content?: readonly { readonly text: string }[];
  }[];
  readonly usage: { readonly input_tokens: number; readonly output_tokens: number };
}

async function respond(stage: GatewayStage, body: object): Promise<ResponseBody> {
  const answer = await stage.post('/v1/responses', { model: 'codex-5', ...body });
  const text = await answer.text();
  expect(answer.status, text).toBe(200);
  return JSON.parse(text) as ResponseBody;
}

const textOf = ({ output }: ResponseBody): string =>
  output
    .flatMap(({ content }) => content ?? [])
    .map(({ text }) => text)
    .join('');

/** The conversation that the model saw: who said what, without what Codex adds. */
function seenBy(request: RecordedRequest | undefined): readonly string[] {
  const { input } = request?.body as {
    input: {
      type: string;
      role?: string;
      call_id?: string;
      output?: unknown;
      content?: { text: string }[];
    }[];
  };
  return input
    .map((item) =>
      item.type === 'message'
        ? `${item.role ?? ''}: ${(item.content ?? []).map(({ text }) => text).join('|')}`
        : `${item.type} ${item.call_id ?? ''}`,
    )
    .filter((line) => !/^developer: You are Codex|<model_switch>|<turn_aborted>/.test(line));
}

test('a response is answered with its text, its usage and its typed events in order', async () => {
  await using stage = await openGatewayStage({ scenario: answering });
  const whole = await respond(stage, { input: 'first' });
  expect(whole).toMatchObject({ status: 'completed', usage: { input_tokens: 1000, output_tokens: 50 } });
  expect(textOf(whole)).toBe('answer one');

  const streamed = await stage.post('/v1/responses', { model: 'codex-5', input: 'first', stream: true });
  const frames = dataFrames(await streamed.text());
  expect(frames.at(-1)).toBe('[DONE]');
  const events = frames
    .slice(0, -1)
    .map((frame) => JSON.parse(frame) as { type: string; sequence_number: number });
  expect(events.map(({ type }) => type)).toEqual([
    'response.created',
    'response.in_progress',
    'response.output_item.added',
    'response.content_part.added',
    'response.output_text.delta',
    'response.output_text.done',
    'response.content_part.done',
    'response.output_item.done',
    'response.completed',
  ]);
  expect(events.map(({ sequence_number }) => sequence_number)).toEqual(events.map((_, index) => index));
});

test('the newest response goes on in its thread and an older one is forked, also after a restart', async () => {
  await using stage = await openGatewayStage({ scenario: answering });
  const one = await respond(stage, { input: 'first' });
  const two = await respond(stage, { input: 'second', previous_response_id: one.id });
  expect(textOf(two)).toBe('answer two');
  expect(seenBy(stage.model.requests.at(-1))).toEqual([
    'user: first',
    'assistant: answer one',
    'user: second',
  ]);
  expect(stage.model.requests.at(-1)?.threadId).toBe(stage.model.requests.at(-2)?.threadId);

  await stage.restart();
  const fork = await respond(stage, { input: 'other', previous_response_id: one.id });
  expect(textOf(fork)).toBe('answer other');
  expect(seenBy(stage.model.requests.at(-1))).toEqual([
    'user: first',
    'assistant: answer one',
    'user: other',
  ]);
  expect(stage.model.requests.at(-1)?.threadId).not.toBe(stage.model.requests.at(-2)?.threadId);

  await respond(stage, { input: 'other', previous_response_id: two.id });
  expect(seenBy(stage.model.requests.at(-1))).toEqual([
    'user: first',
    'assistant: answer one',
    'user: second',
    'assistant: answer two',
    'user: other',
  ]);
  expect(stage.model.problems).toEqual([]);
});

test('a response that was not stored, or never was, cannot be gone on with', async () => {
  await using stage = await openGatewayStage({ scenario: answering });
  const one = await respond(stage, { input: 'first', store: false });
  for (const previous_response_id of [one.id, 'resp_unknown']) {
    const answer = await stage.post('/v1/responses', { model: 'codex-5', input: 'x', previous_response_id });
    expect(answer.status).toBe(400);
    expect(await errorOf(answer)).toMatchObject({
      code: 'invalid_request_error',
      param: 'previous_response_id',
    });
  }
});
