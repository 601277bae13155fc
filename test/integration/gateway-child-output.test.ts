import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { dataFrames, openGatewayStage, type GatewayStage } from '../support/gateway-stage.ts';
import { scriptedAppServer, type ScriptedAppServer } from '../support/scripted-app-server.ts';
import { fc, runs, timeLimit } from '../support/properties.ts';

/** Whatever Codex writes, in whatever order and pieces: the gateway lives, and every request has one answer. */

let child: ScriptedAppServer;
let stage: GatewayStage;
const unhandled: unknown[] = [];
const onUnhandled = (reason: unknown): void => void unhandled.push(reason);

beforeAll(async () => {
  child = await scriptedAppServer('good');
  stage = await openGatewayStage({
    env: { CODEX_BIN: child.bin, PROXY_IDLE_TIMEOUT_MS: '2000', PROXY_STREAM_IDLE_TIMEOUT_MS: '2000' },
  });
});
afterAll(async () => {
  await stage[Symbol.asyncDispose]();
  await child[Symbol.asyncDispose]();
});
beforeEach(() => {
  process.on('unhandledRejection', onUnhandled).on('uncaughtException', onUnhandled);
});
afterEach(() => {
  process.off('unhandledRejection', onUnhandled).off('uncaughtException', onUnhandled);
});

const methods = [
  'item/started',
  'item/completed',
  'item/agentMessage/delta',
  'item/commandExecution/outputDelta',
  'thread/tokenUsage/updated',
  'rawResponseItem/completed',
  'rawResponse/completed',
  'error',
  'warning',
  'turn/completed',
  'turn/started',
  'thread/closed',
  'nobody/knows',
] as const;
const requests = ['item/tool/call', 'item/commandExecution/requestApproval', 'nobody/asks'] as const;

const thread = fc.oneof(
  { arbitrary: fc.constant<unknown>('THREAD'), weight: 4 },
  fc.constant<unknown>('thread-of-nobody'),
  fc.jsonValue({ maxDepth: 1 }),
);
const counts = fc.record({
  totalTokens: fc.oneof(fc.nat(), fc.jsonValue({ maxDepth: 1 })),
  inputTokens: fc.oneof(fc.nat(), fc.constant(null)),
  cachedInputTokens: fc.nat(),
  outputTokens: fc.oneof(fc.integer(), fc.string()),
  reasoningOutputTokens: fc.nat(),
});
/** Right at times, of another type at others, or not there. */
const params = fc.record(
  {
    threadId: thread,
    turnId: fc.constantFrom('TURN', 'turn', 7, null),
    itemId: fc.oneof(fc.constantFrom('item-1', 'item-2'), fc.jsonValue({ maxDepth: 1 })),
    delta: fc.oneof(fc.string({ unit: 'binary' }), fc.jsonValue({ maxDepth: 1 })),
    item: fc.oneof(
      fc.record({ type: fc.constantFrom('agentMessage', 'x'), id: fc.string(), text: fc.jsonValue() }),
      fc.record({
        type: fc.constant('function_call'),
        name: fc.constantFrom('get', 'x'),
        call_id: fc.jsonValue(),
        arguments: fc.jsonValue(),
      }),
      fc.jsonValue({ maxDepth: 2 }),
    ),
    tokenUsage: fc.oneof(fc.record({ total: counts, last: counts }), fc.jsonValue({ maxDepth: 1 })),
    error: fc.oneof(
      fc.record({ message: fc.string(), codexErrorInfo: fc.jsonValue() }),
      fc.jsonValue({ maxDepth: 1 }),
    ),
    willRetry: fc.oneof(fc.boolean(), fc.string()),
    turn: fc.oneof(
      fc.record({
        id: fc.constant('TURN'),
        status: fc.constantFrom('completed', 'failed', 'x'),
        error: fc.jsonValue(),
      }),
      fc.jsonValue({ maxDepth: 1 }),
    ),
  },
  { requiredKeys: ['threadId'] },
);
const message = fc.oneof(
  { arbitrary: fc.record({ method: fc.constantFrom(...methods), params }), weight: 6 },
  fc.record({ method: fc.constantFrom(...methods), params: fc.jsonValue({ maxDepth: 2 }) }),
  fc.record({ id: fc.oneof(fc.nat(), fc.string()), method: fc.constantFrom(...requests), params }),
  // Answers to what nobody asked, or what was answered before.
  fc.record({
    id: fc.oneof(fc.integer({ min: 100_000 }), fc.jsonValue({ maxDepth: 1 })),
    result: fc.jsonValue(),
  }),
);
const line = fc.oneof(
  { arbitrary: message.map((said) => Buffer.from(JSON.stringify(said))), weight: 8 },
  fc.string({ unit: 'binary' }).map((text) => Buffer.from(text.replaceAll('\n', ' '))),
  fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
  // A message that ends too early.
  fc.tuple(message, fc.double({ min: 0, max: 1, noNaN: true })).map(([said, share]) => {
    const text = Buffer.from(JSON.stringify(said));
    return text.subarray(0, Math.floor(share * text.length));
  }),
);
const output = fc
  .array(fc.tuple(line, fc.integer({ min: 1, max: 2 })), { maxLength: 12 })
  .map((lines) =>
    lines.flatMap(([bytes, times]) => Array.from({ length: times }, () => [bytes, Buffer.from('\n')]).flat()),
  )
  .map((parts) => Buffer.concat(parts).toString('base64'));
const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 4 });

const tools = [{ type: 'function', function: { name: 'get', parameters: { type: 'object' } } }];

test('whatever the child says, each request has exactly one answer', timeLimit(120_000), async () => {
  const pid = stage.gateway.health().worker_supervisor['pid'];
  await fc.assert(
    fc.asyncProperty(output, cuts, fc.boolean(), async (bytes, at, withTools) => {
      const messages = [{ role: 'user', content: `says ${JSON.stringify({ bytes, cuts: at })}` }];
      const body = { messages, ...(withTools ? { tools } : {}) };
      const [plain, streamed, response] = await Promise.all([
        stage.chat(body),
        stage.chat({ ...body, stream: true }),
        stage.post('/v1/responses', { model: 'codex-5', input: messages, stream: true, store: false }),
      ]);
      const said = JSON.parse(await plain.text()) as { choices?: unknown[]; error?: { code: string } };
      expect([plain.status === 200, said.choices?.length === 1, said.error === undefined]).toEqual(
        Array.from({ length: 3 }, () => plain.status === 200),
      );
      if (streamed.status === 200) {
        const frames = dataFrames(await streamed.text());
        expect(frames.filter((frame) => frame === '[DONE]')).toEqual(['[DONE]']);
        expect(frames.at(-1)).toBe('[DONE]');
        const parsed = frames.slice(0, -1).map((frame) => JSON.parse(frame) as Frame);
        const ends = parsed.filter(
          ({ error, choices }) => error !== undefined || (choices?.[0]?.finish_reason ?? null) !== null,
        );
        expect(ends).toHaveLength(1);
        expect(parsed.at(-1)).toBe(ends[0]);
      } else expect(await streamed.json()).toHaveProperty('error.code');
      if (response.status === 200) {
        const types = dataFrames(await response.text())
          .filter((frame) => frame !== '[DONE]')
          .map((frame) => (JSON.parse(frame) as { type: string }).type);
        const ends = types.filter((type) => /^response\.(completed|failed|incomplete)$/.test(type));
        expect(ends.length, types.join()).toBe(1);
        // Where it failed, the error frame comes last, and once.
        const errors = types.filter((type) => type === 'error');
        expect(errors.length, types.join()).toBe(ends[0] === 'response.failed' ? 1 : 0);
        expect(types.at(-1)).toBe(errors[0] ?? ends[0]);
      } else expect(await response.json()).toHaveProperty('error.code');
    }),
    runs(150),
  );
  expect(unhandled).toEqual([]);
  // Nothing of that is left behind: the same child goes on.
  expect((await stage.chat()).status).toBe(200);
  expect(stage.gateway.health().worker_supervisor['pid']).toBe(pid);
});

interface Frame {
  readonly error?: object;
  readonly choices?: readonly { readonly finish_reason: string | null }[];
}
