import { workerStartSchema } from '../contract/worker-start.ts';
import { AppError } from '../runtime/app-error.ts';
import { createLineSplitter } from '../runtime/line-splitter.ts';

export interface StartReader {
  push(chunk: Uint8Array): void;
  /** The worker's id; rejects with the failure that the worker told. Never settles by itself where it says nothing. */
  readonly started: Promise<string>;
}

/** Reads from a worker's stdout how its start went. */
export function readStart(): StartReader {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  promise.catch(() => undefined);
  const lines = createLineSplitter({
    onLine: (line) => {
      const said = parse(line);
      if (said?.type === 'worker.ready') resolve(said.workerId);
      else if (said?.type === 'worker.failed') {
        const { kind, code, message, hint } = said.failure;
        reject(new AppError(kind, code, message, { hint }));
      }
    },
    onOverlong: () => undefined,
    maxLineBytes: 64 * 1024,
  });
  return {
    push: (chunk) => {
      lines.push(chunk);
    },
    started: promise,
  };
}

function parse(line: string) {
  try {
    return workerStartSchema.safeParse(JSON.parse(line)).data;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
