import type { JobEventBody } from '../contract/event.ts';
import { outputTailBytes, tailText } from './tail-text.ts';

const messageEveryMs = 100;
/** Rarer than a message's: each repeats the output's tail. */
const outputEveryMs = 1_000;

interface Pending {
  text: string;
  timer: NodeJS.Timeout | null;
}

interface RunningCommand {
  readonly itemId: string;
  readonly command: string;
}

/**
 * Puts together what streams in pieces, so that an item makes at most one event in a while. Whoever ends an item calls `flush` before it
 * emits the item's own last event; disposing drops what is pending.
 */
export class DeltaEvents implements Disposable {
  readonly #emit: (event: JobEventBody) => void;
  readonly #messages = new Map<string, Pending>();
  readonly #outputs = new Map<string, Pending>();

  constructor(emit: (event: JobEventBody) => void) {
    this.#emit = emit;
  }

  message(itemId: string, delta: string): void {
    const pending = this.#pending(this.#messages, itemId);
    pending.text += delta;
    pending.timer ??= setTimeout(() => this.#sendMessage(itemId, pending), messageEveryMs);
  }

  output(command: RunningCommand, delta: string): void {
    const pending = this.#pending(this.#outputs, command.itemId);
    // Twice the tail, so that the mark of what was cut is right, and no more is kept.
    pending.text = (pending.text + delta).slice(-2 * outputTailBytes);
    pending.timer ??= setTimeout(() => {
      pending.timer = null;
      this.#emit({
        type: 'agent.command',
        ...command,
        status: 'running',
        exitCode: null,
        output: tailText(pending.text),
      });
    }, outputEveryMs);
  }

  /** Sends what is pending of a message; what is pending of a command comes with its end. */
  flush(itemId: string): void {
    const message = this.#messages.get(itemId);
    if (message?.timer) {
      clearTimeout(message.timer);
      this.#sendMessage(itemId, message);
    }
    this.#messages.delete(itemId);
    clearTimeout(this.#outputs.get(itemId)?.timer ?? undefined);
    this.#outputs.delete(itemId);
  }

  [Symbol.dispose](): void {
    for (const pending of [...this.#messages.values(), ...this.#outputs.values()]) {
      clearTimeout(pending.timer ?? undefined);
    }
    this.#messages.clear();
    this.#outputs.clear();
  }

  #pending(map: Map<string, Pending>, itemId: string): Pending {
    const pending = map.get(itemId) ?? { text: '', timer: null };
    map.set(itemId, pending);
    return pending;
  }

  #sendMessage(itemId: string, pending: Pending): void {
    this.#emit({ type: 'agent.message.delta', itemId, delta: pending.text });
    pending.text = '';
    pending.timer = null;
  }
}
