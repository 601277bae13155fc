import { z } from 'zod';
import { AppError } from '../../runtime/app-error.ts';
import { within } from '../../runtime/wait.ts';
import type { DevtoolsCall } from './devtools.ts';

const evaluatedSchema = z.object({
  result: z.object({ value: z.unknown().optional() }),
  exceptionDetails: z
    .object({ text: z.string(), exception: z.object({ description: z.string().optional() }).optional() })
    .optional(),
});

/** The value of an evaluated expression. Throws `page_failed` (user) with what the page threw. */
export function readResult(answer: unknown): unknown {
  const { result, exceptionDetails } = evaluatedSchema.parse(answer);
  if (exceptionDetails === undefined) return result.value;
  const said = exceptionDetails.exception?.description ?? exceptionDetails.text;
  throw new AppError('user', 'page_failed', said.split('\n')[0] ?? said);
}

/** Throws `page_missing` (infrastructure) where a page could not be shown. */
export function refuseNavigation(url: string, answer: unknown): void {
  const { errorText } = z.object({ errorText: z.string().optional() }).parse(answer);
  if (errorText === undefined || errorText === '') return;
  throw new AppError('infrastructure', 'page_missing', `Chromium cannot show ${url}: ${errorText}.`);
}

/** Waits for a page to load. Rejects with `page_timeout` (timeout). */
export async function withinLimits<T>(
  promise: Promise<T>,
  url: string,
  { signal, limitMs }: Pick<DevtoolsCall, 'signal' | 'limitMs'>,
): Promise<T> {
  const late = (): AppError => new AppError('timeout', 'page_timeout', `${url} did not load in time.`);
  return within(promise, limitMs, late, signal);
}
