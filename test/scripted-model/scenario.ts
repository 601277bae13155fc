import { z } from 'zod';
import type { ModelRequest } from './model-request.ts';

/** A substring, `{regex, flags}` (the form for JSON files) or a RegExp; tried on the text of a user's prompt. */
const pattern = z.union([
  z.string(),
  z.strictObject({ regex: z.string(), flags: z.string().optional() }),
  z.instanceof(RegExp),
]);

const usage = z.strictObject({
  input: z.number().int().nonnegative().default(1000),
  cached: z.number().int().nonnegative().default(400),
  output: z.number().int().nonnegative().default(50),
  reasoning: z.number().int().nonnegative().default(0),
});

/** Names of gates at which the reply waits while a test holds them; see README. */
const gates = z.strictObject({
  start: z.string().optional(),
  text: z.string().optional(),
  tools: z.string().optional(),
  end: z.string().optional(),
});

const command = z.union([
  z.string(),
  z.strictObject({
    cmd: z.string(),
    workdir: z.string().optional(),
    login: z.boolean().optional(),
    yieldTimeMs: z.number().int().positive().optional(),
    maxOutputTokens: z.number().int().positive().optional(),
  }),
]);

const final = z.strictObject({
  text: z.string().default(''),
  summary: z.string(),
  files: z.array(z.strictObject({ change: z.enum(['created', 'modified', 'deleted']), path: z.string() })),
});

const huge = z.union([
  z.strictObject({ textMb: z.number().positive() }),
  z.strictObject({ commandMb: z.number().positive() }),
]);

/** One answer of the model; its parts are sent in this order, in one stream. */
const reply = z.strictObject({
  fault: z.undefined().optional(),
  reasoning: z.string().optional(),
  text: z.string().optional(),
  huge: huge.optional(),
  commands: z.array(command).optional(),
  patch: z.string().optional(),
  /** Calls of other tools; arguments as text are sent as they are. */
  calls: z.array(z.strictObject({ name: z.string(), arguments: z.union([z.string(), z.json()]) })).optional(),
  final: final.optional(),
  chunkChars: z.number().int().positive().default(40),
  gapMs: z.number().nonnegative().default(0),
  gates: gates.default({}),
  usage: usage.prefault({}),
});

const times = z.number().int().positive().optional();
const epochSeconds = z.number().int().positive();

const faults = [
  z.strictObject({ fault: z.literal('unauthorized'), times }),
  z.strictObject({
    fault: z.literal('usage_limit'),
    resetsInS: z.number().int().default(3600),
    resetsAt: epochSeconds.optional(),
    times,
  }),
  z.strictObject({ fault: z.literal('rate_limit'), retryAfterS: z.number().default(1), times }),
  z.strictObject({ fault: z.literal('server_error'), times }),
  z.strictObject({ fault: z.literal('overloaded'), times }),
  z.strictObject({
    fault: z.literal('status'),
    status: z.number().int().min(400).max(599),
    headers: z.record(z.string(), z.string()).default({}),
    body: z.unknown().optional(),
    times,
  }),
  z.strictObject({ fault: z.literal('context_window_exceeded'), times }),
  z.strictObject({ fault: z.literal('failed'), code: z.string(), message: z.string(), times }),
  z.strictObject({
    fault: z.literal('cut'),
    afterEvents: z.number().int().nonnegative(),
    text: z.string().default('This sentence is cut in the middle.'),
    times,
  }),
  z.strictObject({ fault: z.literal('hang'), gate: z.string().default('hang'), times }),
  z.strictObject({ fault: z.literal('never_ending'), command: z.string().default('true'), times }),
] as const;

const turn = z.discriminatedUnion('fault', [reply, ...faults]);

const turnFunction = z.custom<TurnFunction>(
  (value) => typeof value === 'function',
  'a list of turns or a function',
);

const conversation = z.strictObject({
  name: z.string().optional(),
  /** Matches on the prompt; left out, it takes whatever no other conversation does. */
  when: pattern.optional(),
  /** Matches on the bearer token, on top of `when`. */
  key: z.string().optional(),
  turns: z.union([z.array(turn), turnFunction]),
});

const scenario = z.strictObject({
  $schema: z.string().optional(),
  conversations: z.array(conversation),
  /** Prompts that go on with the conversation of the prompt before them, at the turn it had reached. */
  continuations: z.array(pattern).default([]),
});

export type Pattern = z.output<typeof pattern>;
export type Reply = z.output<typeof reply>;
export type Fault = z.output<(typeof faults)[number]>;
export type Turn = z.output<typeof turn>;
export type TurnInput = z.input<typeof turn>;
/** Turn number `index` (from 0) of a conversation, or undefined where it has no further one. */
export type TurnFunction = (index: number, request: ModelRequest) => TurnInput | undefined;
export type Conversation = z.output<typeof conversation>;
export type Scenario = z.output<typeof scenario>;
export type ScenarioInput = z.input<typeof scenario>;

/** A scenario with its defaults filled in; throws with all problems named. */
export function parseScenario(value: unknown): Scenario {
  const result = scenario.safeParse(value);
  if (!result.success) throw new TypeError(describeProblems(result.error.issues));
  return result.data;
}

function describeProblems(issues: readonly z.core.$ZodIssue[]): string {
  const problems = issues.map((issue) => describe(issue, []));
  return `The scenario does not fit: ${problems.join('; ')}`;
}

/** Of a union that fits nowhere, the branch that got furthest is the one that was meant. */
function describe(issue: z.core.$ZodIssue, above: readonly PropertyKey[]): string {
  const at = [...above, ...issue.path];
  const branches = issue.code === 'invalid_union' ? issue.errors : [];
  const [meant] = branches.toSorted((a, b) => depth(b) - depth(a)).flat();
  return meant ? describe(meant, at) : `${at.map(String).join('.')}: ${issue.message}`;
}

function depth(issues: readonly z.core.$ZodIssue[]): number {
  return Math.max(0, ...issues.map(({ path }) => path.length));
}

export function parseTurn(value: TurnInput): Turn {
  return turn.parse(value);
}
