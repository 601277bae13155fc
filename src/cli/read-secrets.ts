import type { Readable } from 'node:stream';
import { workerSecretsSchema, type WorkerSecrets } from '../contract/worker-secrets.ts';
import { AppError } from '../runtime/app-error.ts';
import { startDeadline } from '../runtime/deadline.ts';
import { createLineSplitter } from '../runtime/line-splitter.ts';

const limitMs = 20_000;
const maxLineBytes = 256 * 1024;

/**
 * The secrets that whoever started this worker writes first on its stdin, which is left paused behind them. Rejects with `secrets_missing`
 * where they do not come within 20 s: a container that somebody starts again by hand gets none.
 */
export async function readSecrets(stdin: Readable, signal: AbortSignal): Promise<WorkerSecrets['secrets']> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const lines = createLineSplitter({
    onLine: resolve,
    onOverlong: () => {
      reject(missing('the line is too long'));
    },
    maxLineBytes,
  });
  const onData = (chunk: Buffer): void => {
    lines.push(chunk);
  };
  const onEnd = (): void => {
    reject(missing('stdin ended'));
  };
  using limit = startDeadline(limitMs, () => missing(`nothing came within ${String(limitMs / 1000)} s`));
  const over = AbortSignal.any([signal, limit.signal]);
  const onOver = (): void => {
    reject(over.reason);
  };
  over.addEventListener('abort', onOver, { once: true });
  stdin.on('data', onData).once('end', onEnd).once('error', onEnd);
  try {
    return parse(await promise);
  } finally {
    stdin.off('data', onData).off('end', onEnd).off('error', onEnd);
    stdin.pause();
    over.removeEventListener('abort', onOver);
  }
}

function parse(line: string): WorkerSecrets['secrets'] {
  try {
    const said = workerSecretsSchema.safeParse(JSON.parse(line));
    if (said.success) return said.data.secrets;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  // Without what was said: it may be a secret in another form.
  throw missing('something else came');
}

function missing(why: string): AppError {
  return new AppError(
    'configuration',
    'secrets_missing',
    `The keys that are to come on stdin did not: ${why}.`,
    {
      hint: 'Whoever starts this worker gives them to it: start it with `capstan start-services`, not by hand.',
    },
  );
}
