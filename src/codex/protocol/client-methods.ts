import type { InitializeParams } from './generated/InitializeParams.ts';
import type { InitializeResponse } from './generated/InitializeResponse.ts';
import type { ThreadBackgroundTerminalsCleanParams } from './generated/v2/ThreadBackgroundTerminalsCleanParams.ts';
import type { ThreadBackgroundTerminalsCleanResponse } from './generated/v2/ThreadBackgroundTerminalsCleanResponse.ts';
import type { ThreadForkParams } from './generated/v2/ThreadForkParams.ts';
import type { ThreadForkResponse } from './generated/v2/ThreadForkResponse.ts';
import type { ThreadInjectItemsParams } from './generated/v2/ThreadInjectItemsParams.ts';
import type { ThreadInjectItemsResponse } from './generated/v2/ThreadInjectItemsResponse.ts';
import type { ThreadResumeParams } from './generated/v2/ThreadResumeParams.ts';
import type { ThreadResumeResponse } from './generated/v2/ThreadResumeResponse.ts';
import type { ThreadStartParams } from './generated/v2/ThreadStartParams.ts';
import type { ThreadStartResponse } from './generated/v2/ThreadStartResponse.ts';
import type { ThreadUnsubscribeParams } from './generated/v2/ThreadUnsubscribeParams.ts';
import type { ThreadUnsubscribeResponse } from './generated/v2/ThreadUnsubscribeResponse.ts';
import type { TurnInterruptParams } from './generated/v2/TurnInterruptParams.ts';
import type { TurnInterruptResponse } from './generated/v2/TurnInterruptResponse.ts';
import type { TurnStartParams } from './generated/v2/TurnStartParams.ts';
import type { TurnStartResponse } from './generated/v2/TurnStartResponse.ts';

/** The requests that we send, each with what is sent and what comes back. */
export interface ClientMethods {
  initialize: { params: InitializeParams; result: InitializeResponse };
  'thread/start': { params: ThreadStartParams; result: ThreadStartResponse };
  'thread/fork': { params: ThreadForkParams; result: ThreadForkResponse };
  'thread/inject_items': { params: ThreadInjectItemsParams; result: ThreadInjectItemsResponse };
  'thread/resume': { params: ThreadResumeParams; result: ThreadResumeResponse };
  'thread/unsubscribe': { params: ThreadUnsubscribeParams; result: ThreadUnsubscribeResponse };
  'thread/backgroundTerminals/clean': {
    params: ThreadBackgroundTerminalsCleanParams;
    result: ThreadBackgroundTerminalsCleanResponse;
  };
  'turn/start': { params: TurnStartParams; result: TurnStartResponse };
  'turn/interrupt': { params: TurnInterruptParams; result: TurnInterruptResponse };
}
export type ClientMethod = keyof ClientMethods;
