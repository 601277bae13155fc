import type { ServerResponse } from 'node:http';
import { AppError } from '../runtime/app-error.ts';
import { deferred, within } from '../runtime/wait.ts';

/** A reader that has taken nothing for this long is not there any more; it can resume. */
const stuckReaderMs = 120_000;

/** Writes, and waits where the reader is slow, so that it costs no memory here. Rejects with `reader_stuck`, or the signal's reason. */
export async function writeSlowly(
  response: ServerResponse,
  text: string,
  signal: AbortSignal,
): Promise<void> {
  if (response.write(text)) return;
  const drained = deferred<void>();
  const go = (): void => {
    drained.resolve();
  };
  response.once('drain', go);
  try {
    await within(drained.promise, stuckReaderMs, readerStuck, signal);
  } finally {
    response.off('drain', go);
  }
}

function readerStuck(): AppError {
  return new AppError(
    'infrastructure',
    'reader_stuck',
    'The reader of an event stream takes nothing any more.',
  );
}
