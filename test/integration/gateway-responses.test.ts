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

test('what the model thought comes before what it says, streamed as it is kept', async () => {
  await using stage = await openGatewayStage({
    scenario: { conversations: [{ turns: [{ reasoning: 'Six by nine, then.', text: 'answer' }] }] },
  });
  const body = { input: 'first', reasoning: { summary: 'auto', effort: 'high' } };
  const whole = await respond(stage, body);
  expect(whole.output).toMatchObject([
    { type: 'reasoning', summary: [{ type: 'summary_text', text: 'Six by nine, then.' }] },
    { type: 'message' },
  ]);
  expect(stage.model.requests.at(-1)?.body).toMatchObject({ reasoning: { summary: 'auto', effort: 'high' } });
  const streamed = await stage.post('/v1/responses', { model: 'codex-5', ...body, stream: true });
  const events = dataFrames(await streamed.text())
    .slice(0, -1)
    .map((frame) => JSON.parse(frame) as { type: string; response?: ResponseBody });
  expect(events.map(({ type }) => type).filter((type) => type.includes('reasoning'))).toEqual([
    'response.reasoning_summary_part.added',
    'response.reasoning_summary_text.delta',
    'response.reasoning_summary_text.done',
    'response.reasoning_summary_part.done',
  ]);
  const last = events.at(-1)?.response;
  expect(last?.output.map(({ type }) => type)).toEqual(['reasoning', 'message']);
  const kept = await fetch(`${stage.url}/v1/responses/${last?.id ?? ''}`);
  expect(await kept.json()).toEqual(last);
});

test('a response that is kept can be asked for, with what was sent, and deleted; what goes on from it goes on', async () => {
  await using stage = await openGatewayStage({ scenario: answering });
  const one = await respond(stage, { input: 'first', metadata: { a: 'b' } });
  const by = (path: string, method = 'GET'): Promise<Response> =>
    fetch(`${stage.url}/v1/responses/${path}`, { method });
  expect(await (await by(one.id)).json()).toEqual(one);
  expect(await (await by(`${one.id}/input_items`)).json()).toMatchObject({
    object: 'list',
    data: [{ type: 'message', role: 'user', content: [{ type: 'input_text', text: 'first' }] }],
    has_more: false,
  });
  expect((await by(`${one.id}?stream=true`)).status).toBe(400);
  const cancelled = await by(`${one.id}/cancel`, 'POST');
  expect(cancelled.status).toBe(400);
  expect(await errorOf(cancelled)).toMatchObject({ code: 'invalid_request_error' });

  const fork = await respond(stage, { input: 'other', previous_response_id: one.id });
  expect(textOf(fork)).toBe('answer other');
  const two = await respond(stage, { input: 'second', previous_response_id: one.id });
  for (const { id } of [one, two]) {
    const gone = await by(id, 'DELETE');
    expect(await gone.json()).toEqual({ id, object: 'response', deleted: true });
  }
  for (const answer of [await by(one.id), await by(one.id, 'DELETE'), await by(`${one.id}/cancel`, 'POST')]) {
    expect(answer.status).toBe(404);
    expect(await errorOf(answer)).toMatchObject({ code: 'response_not_found' });
  }
  // A fork needs nothing of the thread that it came from.
  await stage.restart();
  await respond(stage, { input: 'second', previous_response_id: fork.id });
  expect(seenBy(stage.model.requests.at(-1))).toEqual([
    'user: first',
    'assistant: answer one',
    'user: other',
    'assistant: answer other',
    'user: second',
  ]);
});

const toolRounds = {
  conversations: [
    {
      when: 'weather',
      turns: [
        {
          reasoning: 'Two places.',
          text: 'Let me look.',
          calls: [
            { name: 'get', arguments: { city: 'Rome' } },
            { name: 'get', arguments: { city: 'Oslo' } },
          ],
        },
        { reasoning: 'One more.', calls: [{ name: 'get', arguments: { city: 'Bern' } }] },
        { text: 'All sunny.' },
      ],
    },
    { when: 'thanks', turns: [{ text: 'Any time.' }] },
  ],
};
const dot =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==';
const get = { type: 'function', name: 'get', parameters: { type: 'object' } };

/** Two rounds of calls, the first of two at once, and a question afterwards; `between` comes before each request that goes on. */
async function askWithTools(stage: GatewayStage, between: () => Promise<void>) {
  const common = { tools: [get], instructions: 'Be brief.' };
  const picture = [
    { type: 'input_text', text: 'the weather here?' },
    { type: 'input_image', image_url: dot },
  ];
  const one = await respond(stage, { ...common, input: [{ role: 'user', content: picture }] });
  await between();
  const calls = one.output.filter(({ type }) => type === 'function_call');
  const answers = calls.map(({ call_id }, index) => ({
    type: 'function_call_output',
    call_id,
    output:
      index === 0
        ? 'sunny'
        : [
            { type: 'input_text', text: 'bright' },
            { type: 'input_image', image_url: dot },
          ],
  }));
  const two = await respond(stage, { ...common, input: answers, previous_response_id: one.id });
  await between();
  const call_id = two.output.find(({ type }) => type === 'function_call')?.call_id;
  const last = [{ type: 'function_call_output', call_id, output: 'warm' }];
  const three = await respond(stage, { ...common, input: last, previous_response_id: two.id });
  await between();
  const four = await respond(stage, { ...common, input: 'thanks', previous_response_id: three.id });
  return { one, two, three, four, calls: [...calls.map((call) => call.call_id), call_id] };
}

test('tools: answers to its calls let the same turn go on, and the thread after it, with all that was thought and seen', async () => {
  await using stage = await openGatewayStage({ scenario: toolRounds });
  const { one, two, three, four, calls } = await askWithTools(stage, () => Promise.resolve());
  expect(one.output.map(({ type }) => type)).toEqual([
    'reasoning',
    'message',
    'function_call',
    'function_call',
  ]);
  for (const { usage } of [one, two, three, four])
    expect(usage).toMatchObject({ input_tokens: 1000, output_tokens: 50 });
  expect(textOf(three)).toBe('All sunny.');
  expect(textOf(four)).toBe('Any time.');
  expect(new Set(stage.model.requests.map(({ threadId }) => threadId)).size).toBe(1);
  expect(calls).toHaveLength(3);
  expect(stage.model.problems).toEqual([]);
});

test('tools: told again, after a restart, a conversation lacks nothing that it had in its thread', async () => {
  const seen: unknown[][] = [];
  for (const isRestarted of [false, true]) {
    await using stage = await openGatewayStage({ scenario: toolRounds });
    const { four } = await askWithTools(stage, () => (isRestarted ? stage.restart() : Promise.resolve()));
    expect(textOf(four)).toBe('Any time.');
    const { input } = stage.model.requests.at(-1)?.body as { input: Record<string, unknown>[] };
    seen.push(
      input
        .filter(({ role }) => role !== 'developer')
        .map((item) => [
          item['type'],
          item['role'],
          item['name'],
          item['arguments'],
          item['content'],
          item['output'],
          item['summary'],
          String(item['encrypted_content']).replace(/_[\da-f]+$/, ''),
        ]),
    );
    const threads = new Set(stage.model.requests.map(({ threadId }) => threadId));
    expect(threads.size).toBe(isRestarted ? 4 : 1);
    expect(stage.model.problems).toEqual([]);
  }
  expect(seen[1]).toEqual(seen[0]);
  expect(JSON.stringify(seen[0])).toContain('sealed');
});

test('tools: other instructions, a second answer to the same call, or only some of the answers: the conversation is told again', async () => {
  await using stage = await openGatewayStage({ scenario: toolRounds });
  const one = await respond(stage, { tools: [get], input: 'the weather?' });
  const calls = one.output.filter(({ type }) => type === 'function_call');
  const input = calls
    .map(({ call_id }) => ({ type: 'function_call_output', call_id, output: 'sunny' }))
    .toReversed();
  const previous_response_id = one.id;
  const other = await respond(stage, { tools: [get], instructions: 'Shout.', input, previous_response_id });
  const same = await respond(stage, { tools: [get], input, previous_response_id });
  const again = await respond(stage, { tools: [get], input, previous_response_id });
  for (const { output } of [other, same, again])
    expect(output.map(({ type }) => type)).toEqual(['reasoning', 'function_call']);
  const threads = stage.model.requests.map(({ threadId }) => threadId);
  expect(threads[2]).toBe(threads[0]);
  expect(new Set(threads).size).toBe(3);
});

test('tools: an answer to no call, and a call without its answer, are refused', async () => {
  await using stage = await openGatewayStage({ scenario: toolRounds });
  const one = await respond(stage, { tools: [get], input: 'the weather?' });
  const [first, second] = one.output.filter(({ type }) => type === 'function_call');
  const answerTo = (call_id: string | undefined) => ({
    type: 'function_call_output',
    call_id,
    output: 'sunny',
  });
  const previous_response_id = one.id;
  for (const [body, said] of [
    [{ input: [answerTo('call_x')] }, 'call_x'],
    [{ input: 'never mind', previous_response_id }, first?.call_id],
    [{ input: [answerTo(first?.call_id)], previous_response_id }, second?.call_id],
  ] as const) {
    const answer = await stage.post('/v1/responses', { model: 'codex-5', tools: [get], ...body });
    expect(answer.status).toBe(400);
    const error = await errorOf(answer);
    expect(error).toMatchObject({ code: 'invalid_request_error', param: 'input' });
    expect(error.message).toContain(`'${said ?? ''}'`);
  }
  const input = [answerTo(first?.call_id), answerTo(second?.call_id)];
  await respond(stage, { tools: [get], input, previous_response_id });
  expect(stage.model.requests.at(-1)?.threadId).toBe(stage.model.requests[0]?.threadId);
});

test('a conversation with tools goes on from an answer without a call to one with a call', async () => {
  await using stage = await openGatewayStage({
    scenario: {
      conversations: [
        { when: 'first', turns: [{ text: 'What about?' }] },
        { when: 'second', turns: [{ calls: [{ name: 'get', arguments: {} }] }, { text: 'done' }] },
      ],
    },
  });
  const tools = [{ type: 'function', name: 'get' }];
  const one = await respond(stage, { input: 'first', tools });
  const two = await respond(stage, { input: 'second', tools, previous_response_id: one.id });
  expect(two.output.map(({ type }) => type)).toEqual(['function_call']);
  const output = { type: 'function_call_output', call_id: two.output[0]?.call_id, output: 'got' };
  const three = await respond(stage, { input: [output], tools, previous_response_id: two.id });
  expect(textOf(three)).toBe('done');
  expect(stage.model.problems).toEqual([]);
});

test('tool_choice required: a model that talks instead is told once more', async () => {
  await using stage = await openGatewayStage({
    scenario: {
      conversations: [{ when: 'x', turns: [{ text: 'no' }, { calls: [{ name: 'get', arguments: {} }] }] }],
    },
  });
  const tools = [{ type: 'function', name: 'get' }];
  const answer = await respond(stage, { input: 'x', tools, tool_choice: 'required' });
  expect(answer.output.map(({ type }) => type)).toEqual(['function_call']);
});
