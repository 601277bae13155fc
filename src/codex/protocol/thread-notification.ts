import type { AgentMessageDeltaNotification } from './generated/v2/AgentMessageDeltaNotification.ts';
import type { CommandExecutionOutputDeltaNotification } from './generated/v2/CommandExecutionOutputDeltaNotification.ts';
import type { ErrorNotification } from './generated/v2/ErrorNotification.ts';
import type { ItemCompletedNotification } from './generated/v2/ItemCompletedNotification.ts';
import type { ItemStartedNotification } from './generated/v2/ItemStartedNotification.ts';
import type { RawResponseCompletedNotification } from './generated/v2/RawResponseCompletedNotification.ts';
import type { RawResponseItemCompletedNotification } from './generated/v2/RawResponseItemCompletedNotification.ts';
import type { ThreadTokenUsageUpdatedNotification } from './generated/v2/ThreadTokenUsageUpdatedNotification.ts';
import type { TurnCompletedNotification } from './generated/v2/TurnCompletedNotification.ts';
import type { WarningNotification } from './generated/v2/WarningNotification.ts';

/** What of a thread's notifications is read here. */
export type ThreadNotification =
  | { method: 'item/started'; params: ItemStartedNotification }
  | { method: 'item/completed'; params: ItemCompletedNotification }
  | { method: 'item/agentMessage/delta'; params: AgentMessageDeltaNotification }
  | { method: 'item/commandExecution/outputDelta'; params: CommandExecutionOutputDeltaNotification }
  | { method: 'thread/tokenUsage/updated'; params: ThreadTokenUsageUpdatedNotification }
  | { method: 'turn/completed'; params: TurnCompletedNotification }
  | { method: 'rawResponseItem/completed'; params: RawResponseItemCompletedNotification }
  | { method: 'rawResponse/completed'; params: RawResponseCompletedNotification }
  | { method: 'error'; params: ErrorNotification }
  | { method: 'warning'; params: WarningNotification };

const read: Record<ThreadNotification['method'], true> = {
  'item/started': true,
  'item/completed': true,
  'item/agentMessage/delta': true,
  'item/commandExecution/outputDelta': true,
  'thread/tokenUsage/updated': true,
  'turn/completed': true,
  'rawResponseItem/completed': true,
  'rawResponse/completed': true,
  error: true,
  warning: true,
};

/** Null for what is not read. The shapes are those of the version that the types were generated from; they are not checked again. */
export function asThreadNotification(method: string, params: unknown): ThreadNotification | null {
  return Object.hasOwn(read, method) ? ({ method, params } as ThreadNotification) : null;
}

/** The thread that a message is about; null where it is about none. */
export function threadIdOf(params: unknown): string | null {
  if (typeof params !== 'object' || params === null) return null;
  const { threadId, conversationId } = params as { threadId?: unknown; conversationId?: unknown };
  const id = threadId ?? conversationId;
  return typeof id === 'string' ? id : null;
}
