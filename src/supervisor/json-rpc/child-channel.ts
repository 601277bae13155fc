import type { Writable } from 'node:stream';
import { AppError } from '../../runtime/app-error.ts';
import type { Child } from '../child.ts';
import { describeExit } from '../describe-exit.ts';
import type { ChannelListener, MessageChannel } from './channel.ts';
import { createFrameReader } from './frame-reader.ts';

export interface ChildChannelOptions {
  readonly maxMessageBytes?: number;
  /** What may wait in this process for a child that does not read. */
  readonly maxQueuedBytes?: number;
}

const defaultMaxBytes = 64 * 1024 * 1024;

/** JSON lines over a child's stdin and stdout; closed by the child's exit. */
export function createChildChannel(child: Child, options: ChildChannelOptions = {}): MessageChannel {
  const { maxMessageBytes = defaultMaxBytes, maxQueuedBytes = defaultMaxBytes } = options;
  const { stdin } = child;
  return {
    listen: (listener: ChannelListener) => {
      const reader = createFrameReader({
        onMessage: listener.message,
        onFault: listener.fault,
        maxMessageBytes,
      });
      const stopListening = child.onOutput((chunk) => {
        reader.push(chunk);
      });
      void child.exited.then((exit) => {
        stopListening();
        reader.end();
        listener.closed(`the process ended with ${describeExit(exit)}`);
      });
    },
    send: async (message) => {
      const line = `${JSON.stringify(message)}\n`;
      if (stdin.writableLength + line.length > maxQueuedBytes) throw congested(maxQueuedBytes);
      gather(stdin);
      await new Promise<void>((resolve, reject) => {
        stdin.write(line, (error) => {
          if (error) reject(unwritable(error));
          else resolve();
        });
      });
    },
    close: () => {
      stdin.end();
    },
  };
}

const gathering = new WeakSet<Writable>();

/** What is said in one tick is written at once: a system call costs more than a message. */
function gather(stdin: Writable): void {
  if (gathering.has(stdin)) return;
  gathering.add(stdin);
  stdin.cork();
  process.nextTick(() => {
    gathering.delete(stdin);
    stdin.uncork();
  });
}

function unwritable(cause: Error): AppError {
  return new AppError(
    'infrastructure',
    'connection_closed',
    `The process takes no more input: ${cause.message}.`,
    {
      hint: 'It has ended or is about to; it is started again by its supervisor.',
      cause,
    },
  );
}

function congested(maxQueuedBytes: number): AppError {
  return new AppError(
    'infrastructure',
    'connection_congested',
    `The process does not read: more than ${String(maxQueuedBytes)} bytes wait for it.`,
    { hint: 'Wait for earlier messages before sending more.' },
  );
}
