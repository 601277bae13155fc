import { z } from 'zod';

const status = z.enum(['in_progress', 'completed', 'failed', 'declined']).catch('completed');

const item = z.discriminatedUnion('type', [
  z.object({ type: z.literal('agent_message'), id: z.string(), text: z.string() }),
  z.object({ type: z.literal('reasoning'), id: z.string(), text: z.string() }),
  z.object({
    type: z.literal('command_execution'),
    id: z.string(),
    command: z.string(),
    aggregated_output: z.string().default(''),
    exit_code: z.number().int().nullable().default(null),
    status,
  }),
  z.object({
    type: z.literal('file_change'),
    id: z.string(),
    changes: z.array(z.object({ path: z.string(), kind: z.enum(['add', 'delete', 'update']) })),
    status,
  }),
  z.object({ type: z.literal('error'), id: z.string(), message: z.string() }),
]);
export type ExecItem = z.output<typeof item>;

/** Kinds of item without facts of their own here: to-do lists, searches, tools. */
const otherItem = z.object({ type: z.string(), id: z.string(), status: z.string().optional() });
export type OtherExecItem = z.output<typeof otherItem>;

const usage = z.object({
  input_tokens: z.number().int().nonnegative(),
  cached_input_tokens: z.number().int().nonnegative().default(0),
  output_tokens: z.number().int().nonnegative(),
});

const execEvent = z.discriminatedUnion('type', [
  z.object({ type: z.literal('thread.started'), thread_id: z.string() }),
  z.object({ type: z.literal('turn.started') }),
  z.object({
    type: z.enum(['item.started', 'item.updated', 'item.completed']),
    item: z.union([item, otherItem]),
  }),
  z.object({ type: z.literal('turn.completed'), usage }),
  z.object({ type: z.literal('turn.failed'), error: z.object({ message: z.string() }) }),
  z.object({ type: z.literal('error'), message: z.string() }),
]);
export type ExecEvent = z.output<typeof execEvent>;

/** A line of `codex exec --json`; null for one that is of another shape. */
export function parseExecEvent(line: string): ExecEvent | null {
  try {
    return execEvent.safeParse(JSON.parse(line)).data ?? null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

export function isKnownItem(value: ExecItem | OtherExecItem): value is ExecItem {
  return item.safeParse(value).success;
}
