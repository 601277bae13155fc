import type { Usage as JobUsage } from '../contract/job.ts';
import type { JsonValue } from '../codex/protocol/generated/serde_json/JsonValue.ts';
import type { UserInput } from '../codex/protocol/generated/v2/UserInput.ts';

/** An item of the Responses API as Codex takes it into a thread's history. */
export type HistoryItem = Readonly<Record<string, JsonValue>>;

/** A field of an item that is text; empty where it is not. */
export function textOf(item: HistoryItem, field: string): string {
  const value = item[field];
  return typeof value === 'string' ? value : '';
}

export interface ClientTool {
  readonly name: string;
  readonly description: string;
  readonly parameters: JsonValue;
}

export interface ToolCall {
  readonly id: string;
  readonly name: string;
  /** JSON text, as the model wrote it. */
  readonly arguments: string;
}

export interface TokenUsage extends JobUsage {
  readonly reasoningTokens: number;
}

/** What the model is given. */
export interface Conversation {
  readonly history: readonly HistoryItem[];
  /** The user's last message; empty where the conversation does not end with one. */
  readonly input: readonly UserInput[];
}

/** What a turn's thread is and what becomes of it. */
export type ThreadPlan =
  | { readonly kind: 'ephemeral' }
  /** Kept, so that later requests can go on with it. */
  | { readonly kind: 'kept' }
  | { readonly kind: 'continued'; readonly threadId: string }
  /** A new thread that has what another one had up to the end of that turn. */
  | { readonly kind: 'forked'; readonly threadId: string; readonly turnId: string }
  /** Not kept, but left in the process for the client's next request: Codex does not tell enough of a thread with tools that it has loaded again. */
  | { readonly kind: 'held' }
  /** One that was held, with all that was said in it. */
  | { readonly kind: 'taken'; readonly threadId: string };

/** One turn of Codex, whatever the surface that asked for it. */
export interface TurnSpec extends Conversation {
  readonly model: string;
  readonly effort: string | null;
  readonly verbosity: string | null;
  /** How much of its thinking the model is to sum up; null where the client did not ask. */
  readonly summary: 'auto' | 'concise' | 'detailed' | null;
  readonly tools: readonly ClientTool[];
  readonly parallelTools: boolean;
  readonly outputSchema: JsonValue | null;
  readonly thread: ThreadPlan;
}

/** Hears of a turn while it runs; none of it may throw or wait. */
export interface TurnListener {
  /** A piece of the answer, as soon as the child has said it. */
  onText(delta: string): void;
  /** The model calls a tool of the client. */
  onToolCall(call: ToolCall): void;
  /** The model has thought; Codex tells a summary. */
  onReasoning(summary: string): void;
  /** Codex said something, whatever it was. */
  onActivity(): void;
}

export interface TurnEnd {
  /** `tool_calls`: the client has to answer its tools' calls. `stopped`: by the request's signal. */
  readonly reason: 'completed' | 'tool_calls' | 'stopped';
  /** Null where Codex did not come to count. */
  readonly usage: TokenUsage | null;
  readonly threadId: string;
  readonly turnId: string;
  /** What the model thought, as only itself can read it; known where there are tools. */
  readonly thoughts: readonly HistoryItem[];
}

/** Why a signal stops a turn without this being an error: what was said so far is the answer. */
export const enough = Symbol('enough');
