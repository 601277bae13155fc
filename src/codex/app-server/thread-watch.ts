import type { JobEventBody } from '../../contract/event.ts';
import type { Usage } from '../../contract/job.ts';
import type { AppError } from '../../runtime/app-error.ts';
import { deferred } from '../../runtime/wait.ts';
import { DeltaEvents } from '../delta-events.ts';
import { itemEvent } from '../item-event.ts';
import type { ThreadItem } from '../protocol/generated/v2/ThreadItem.ts';
import type { Turn } from '../protocol/generated/v2/Turn.ts';
import type { ThreadNotification } from '../protocol/thread-notification.ts';
import { refusalReason } from '../decline-request.ts';
import { TurnUsage } from '../turn-usage.ts';
import type { ThreadListener } from './app-server-client.ts';

export interface ThreadWatchOptions {
  readonly workspaceDir: string;
  readonly onEvent: (event: JobEventBody) => void;
}

/** Follows one thread: turns what the app-server says of it into events, and waits for the end of its turn. */
export class ThreadWatch implements ThreadListener, Disposable {
  readonly #options: ThreadWatchOptions;
  readonly #deltas: DeltaEvents;
  readonly #usage = new TurnUsage();
  /** Of the commands that run now. */
  readonly #commands = new Map<string, string>();
  readonly #ended = new Map<string, Turn>();
  readonly #gone = deferred<never>();
  #wakeUp = deferred<void>();
  #finalMessage: string | null = null;

  constructor(options: ThreadWatchOptions) {
    this.#options = options;
    this.#deltas = new DeltaEvents(options.onEvent);
    this.#gone.promise.catch(() => undefined);
  }

  get usage(): Usage {
    return this.#usage.value;
  }

  get finalMessage(): string | null {
    return this.#finalMessage;
  }

  /** Resolves when that turn has ended; rejects when the thread's process has. Its caller bounds the wait. */
  async turnEnded(turnId: string): Promise<Turn> {
    for (;;) {
      const turn = this.#ended.get(turnId);
      if (turn !== undefined) return turn;
      await Promise.race([this.#wakeUp.promise, this.#gone.promise]);
    }
  }

  onGone(error: AppError): void {
    this.#gone.reject(error);
  }

  onDeclined(method: string, params: unknown): void {
    this.#options.onEvent({ type: 'agent.declined', request: method, reason: refusalReason(params) });
  }

  onNotification(notification: ThreadNotification): void {
    const { method, params } = notification;
    switch (method) {
      case 'item/started': {
        this.#itemStarted(params.item);
        return;
      }
      case 'item/completed': {
        this.#itemCompleted(params.item);
        return;
      }
      case 'item/agentMessage/delta': {
        this.#deltas.message(params.itemId, params.delta);
        return;
      }
      case 'item/commandExecution/outputDelta': {
        const command = this.#commands.get(params.itemId);
        if (command !== undefined) this.#deltas.output({ itemId: params.itemId, command }, params.delta);
        return;
      }
      case 'thread/tokenUsage/updated': {
        const usage = this.#usage.update(params.tokenUsage);
        if (usage !== null) this.#options.onEvent({ type: 'agent.usage', usage });
        return;
      }
      case 'turn/completed': {
        this.#ended.set(params.turn.id, params.turn);
        this.#wakeUp.resolve();
        this.#wakeUp = deferred<void>();
        return;
      }
      case 'rawResponseItem/completed':
      case 'rawResponse/completed': {
        // Only threads that ask for raw events get them.
        return;
      }
      case 'error': {
        this.#options.onEvent({
          type: 'agent.error',
          message: params.error.message,
          willRetry: params.willRetry,
        });
        return;
      }
      case 'warning': {
        this.#options.onEvent({ type: 'job.warning', message: params.message });
        return;
      }
    }
  }

  [Symbol.dispose](): void {
    this.#deltas[Symbol.dispose]();
  }

  #itemStarted(item: ThreadItem): void {
    if (item.type === 'commandExecution') this.#commands.set(item.id, item.command);
    this.#emitItem(item, 'started');
  }

  #itemCompleted(item: ThreadItem): void {
    this.#commands.delete(item.id);
    this.#deltas.flush(item.id);
    if (item.type === 'agentMessage' && item.text !== '') this.#finalMessage = item.text;
    this.#emitItem(item, 'completed');
  }

  #emitItem(item: ThreadItem, phase: 'started' | 'completed'): void {
    const event = itemEvent(item, phase, this.#options.workspaceDir);
    if (event !== null) this.#options.onEvent(event);
  }
}
