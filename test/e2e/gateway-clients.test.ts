import { createOpenAI } from '@ai-sdk/openai';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { HumanMessage, SystemMessage, ToolMessage } from '@langchain/core/messages';
import { tool as langchainTool } from '@langchain/core/tools';
import { ChatOpenAI } from '@langchain/openai';
import { generateText, stepCountIs, streamText, tool } from 'ai';
import OpenAI from 'openai';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { openGatewayStage, type GatewayStage } from '../support/gateway-stage.ts';

const text = 'Hello, this is an answer in more than one piece, as a stream has them.';
const conversations = [
  {
    when: 'weather',
    turns: [
      { calls: [{ name: 'get_weather', arguments: { city: 'Rome' } }] },
      { text: 'It is sunny in Rome.' },
    ],
  },
  { when: 'schema', turns: [{ text: '{"city":"Rome"}' }] },
  { when: 'held', turns: [{ text, gates: { end: 'end' } }] },
  { when: 'second', turns: [{ text: 'The second answer.' }] },
  { turns: [{ text }] },
];

let stage: GatewayStage;
let baseURL: string;
const apiKey = 'gateway-client-key';
beforeAll(async () => {
  stage = await openGatewayStage({ scenario: { conversations }, env: { PROXY_API_KEY: apiKey } });
  baseURL = `${stage.url}/v1`;
});
beforeEach(() => {
  stage.model.setScenario({ conversations });
});
afterAll(() => stage[Symbol.asyncDispose]());

describe('the openai package', () => {
  const client = () => new OpenAI({ baseURL, apiKey, maxRetries: 0 });
  const messages = [{ role: 'user' as const, content: 'hello' }];

  test('chat, plain and streamed, and the list of models', async () => {
    const models = await client().models.list();
    expect(models.data[0]?.id).toBe('codex-5');
    const plain = await client().chat.completions.create({ model: 'codex-5', messages });
    expect(plain.choices[0]?.message.content).toBe(text);
    const stream = await client().chat.completions.create({
      model: 'codex-5',
      messages,
      stream: true,
      stream_options: { include_usage: true },
    });
    let said = '';
    let total = 0;
    for await (const chunk of stream) {
      said += chunk.choices[0]?.delta.content ?? '';
      total += chunk.usage?.total_tokens ?? 0;
    }
    expect(said).toBe(text);
    expect(total).toBe(1050);
  });

  test('tools through its own runner, to the last answer', async () => {
    const asked: string[] = [];
    const runner = client().chat.completions.runTools({
      model: 'codex-5',
      messages: [{ role: 'user', content: 'the weather?' }],
      tools: [
        {
          type: 'function',
          function: {
            name: 'get_weather',
            description: 'The weather',
            parameters: { type: 'object', properties: { city: { type: 'string' } } },
            parse: JSON.parse,
            function: ({ city }: { city: string }) => {
              asked.push(city);
              return 'sunny';
            },
          },
        },
      ],
    });
    expect(await runner.finalContent()).toBe('It is sunny in Rome.');
    expect(asked).toEqual(['Rome']);
  });

  test('responses, plain, streamed, gone on with, and with tools', async () => {
    const openai = client();
    const first = await openai.responses.create({ model: 'codex-5', input: 'hello' });
    expect(first.output_text).toBe(text);
    const second = await openai.responses.create({
      model: 'codex-5',
      input: 'second',
      previous_response_id: first.id,
    });
    expect(second.output_text).toBe('The second answer.');
    const stream = openai.responses.stream({ model: 'codex-5', input: 'hello' });
    let said = '';
    stream.on('response.output_text.delta', ({ delta }) => {
      said += delta;
    });
    expect((await stream.finalResponse()).output_text).toBe(text);
    expect(said).toBe(text);

    const tools = [
      {
        type: 'function' as const,
        name: 'get_weather',
        description: 'The weather',
        strict: false,
        parameters: { type: 'object', properties: { city: { type: 'string' } } },
      },
    ];
    const asking = await openai.responses.create({ model: 'codex-5', input: 'the weather?', tools });
    const [call] = asking.output;
    if (call?.type !== 'function_call') throw new Error(`no call: ${JSON.stringify(asking.output)}`);
    const answered = await openai.responses.create({
      model: 'codex-5',
      tools,
      previous_response_id: asking.id,
      input: [{ type: 'function_call_output', call_id: call.call_id, output: 'sunny' }],
    });
    expect(answered.output_text).toBe('It is sunny in Rome.');
  });

  test('responses that are kept: retrieved, their input listed, deleted', async () => {
    const openai = client();
    const made = await openai.responses.create({ model: 'codex-5', input: 'hello' });
    expect((await openai.responses.retrieve(made.id)).output_text).toBe(text);
    const items = await openai.responses.inputItems.list(made.id);
    expect(items.data).toMatchObject([{ type: 'message', role: 'user' }]);
    await expect(openai.responses.cancel(made.id)).rejects.toBeInstanceOf(OpenAI.BadRequestError);
    await openai.responses.delete(made.id);
    await expect(openai.responses.retrieve(made.id)).rejects.toBeInstanceOf(OpenAI.NotFoundError);
  });

  test('an abort in the middle of a stream frees the slot', async () => {
    stage.model.hold('end');
    const stream = await client().chat.completions.create({
      model: 'codex-5',
      messages: [{ role: 'user', content: 'held' }],
      stream: true,
    });
    for await (const _chunk of stream) break;
    stream.controller.abort();
    await stage.model.waitForIdle();
    stage.model.release('end');
  });

  test('errors are its own classes, with code and param', async () => {
    const openai = client();
    await expect(openai.chat.completions.create({ model: 'gpt-0', messages })).rejects.toMatchObject({
      status: 404,
      code: 'model_not_found',
    });
    await expect(openai.chat.completions.create({ model: 'codex-5', messages, n: 9 })).rejects.toBeInstanceOf(
      OpenAI.BadRequestError,
    );
    await expect(
      new OpenAI({ baseURL, apiKey: 'wrong', maxRetries: 0 }).models.list(),
    ).rejects.toBeInstanceOf(OpenAI.AuthenticationError);
  });
});

describe('the Vercel AI SDK', () => {
  const providers = [
    ['chat', () => createOpenAI({ baseURL, apiKey }).chat('codex-5')],
    ['responses', () => createOpenAI({ baseURL, apiKey }).responses('codex-5')],
    ['compatible', () => createOpenAICompatible({ name: 'capstan', baseURL, apiKey })('codex-5')],
  ] as const;
  const tools = {
    get_weather: tool({
      description: 'The weather',
      inputSchema: z.object({ city: z.string() }),
      execute: async ({ city }) => `sunny in ${city}`,
    }),
  };

  test.each(providers)('%s: text, stream and tools', async (_, model) => {
    const plain = await generateText({ model: model(), prompt: 'hello', maxRetries: 0 });
    expect(plain.text).toBe(text);
    expect(plain.usage.outputTokens).toBe(50);
    const stream = streamText({ model: model(), prompt: 'hello', maxRetries: 0 });
    let said = '';
    for await (const piece of stream.textStream) said += piece;
    expect(said).toBe(text);
    const called = await generateText({
      model: model(),
      prompt: 'the weather?',
      tools,
      stopWhen: stepCountIs(3),
      maxRetries: 0,
    });
    expect(called.text).toBe('It is sunny in Rome.');
    expect(called.steps[0]?.toolResults[0]?.output).toBe('sunny in Rome');
  });

  test.each(providers)('%s: an abort ends the turn', async (_, model) => {
    stage.model.hold('end');
    const leave = new AbortController();
    const stream = streamText({
      model: model(),
      prompt: 'held',
      abortSignal: leave.signal,
      maxRetries: 0,
      onError: () => {},
    });
    for await (const _piece of stream.textStream) leave.abort();
    await stage.model.waitForIdle();
    stage.model.release('end');
  });
});

describe('LangChain', () => {
  const chat = (fields: object = {}) =>
    new ChatOpenAI({ model: 'codex-5', apiKey, configuration: { baseURL }, maxRetries: 0, ...fields });

  test('invoke, stream, tools and structured output', async () => {
    const plain = await chat().invoke([new SystemMessage('Be brief.'), new HumanMessage('hello')]);
    expect(plain.text).toBe(text);
    let said = '';
    for await (const piece of await chat().stream('hello')) said += piece.text;
    expect(said).toBe(text);

    const weather = langchainTool(async ({ city }: { city: string }) => `sunny in ${city}`, {
      name: 'get_weather',
      description: 'The weather',
      schema: z.object({ city: z.string() }),
    });
    const withTools = chat().bindTools([weather]);
    const question = new HumanMessage('the weather?');
    const asking = await withTools.invoke([question]);
    const [call] = asking.tool_calls ?? [];
    expect(call).toMatchObject({ name: 'get_weather', args: { city: 'Rome' } });
    const answer = new ToolMessage({ content: 'sunny', tool_call_id: call?.id ?? '' });
    expect((await withTools.invoke([question, asking, answer])).text).toBe('It is sunny in Rome.');

    const structured = chat().withStructuredOutput(z.object({ city: z.string() }), { method: 'jsonSchema' });
    expect(await structured.invoke('the schema, please')).toEqual({ city: 'Rome' });
  });

  test('an abort ends the turn', async () => {
    stage.model.hold('end');
    const leave = new AbortController();
    const read = async (): Promise<void> => {
      for await (const _piece of await chat().stream('held', { signal: leave.signal })) leave.abort();
    };
    await expect(read()).rejects.toThrow();
    await stage.model.waitForIdle();
    stage.model.release('end');
  });

  test('the Responses API', async () => {
    expect((await chat({ useResponsesApi: true }).invoke('hello')).text).toBe(text);
  });
});
