import { AppError, toFailure } from '../runtime/app-error.ts';
import { colorsFor } from './colors.ts';
import { exitCodes, type CliContext, type ExitCode } from './context.ts';

/** Codes that say that something is away for now: the caller may try again. */
const unavailableCodes: ReadonlySet<string> = new Set(['store_busy', 'no_worker', 'server_unreachable']);

export function exitCodeOfError(error: AppError): ExitCode {
  if (unavailableCodes.has(error.code)) return exitCodes.unavailable;
  return error.kind === 'user' || error.kind === 'configuration' || error.kind === 'auth'
    ? exitCodes.usage
    : exitCodes.failed;
}

/** An error on stderr: what is wrong, each problem on a line, and what to do. As one JSON object where `--json` was asked for. */
export function printError(
  context: Pick<CliContext, 'stderr' | 'env'>,
  error: unknown,
  { json }: { readonly json: boolean },
): void {
  const failure = toFailure(error);
  if (json) {
    context.stderr.write(`${JSON.stringify({ error: failure })}\n`);
    return;
  }
  const colors = colorsFor(context.stderr, context.env);
  const lines = [`${colors.red('error:')} ${failure.message} ${colors.dim(`(${failure.code})`)}`];
  if (failure.hint !== '') lines.push(`${colors.cyan('  next:')} ${failure.hint}`);
  if (!(error instanceof AppError) && error instanceof Error && error.stack !== undefined)
    lines.push(colors.dim(error.stack));
  context.stderr.write(`${lines.join('\n')}\n`);
}
