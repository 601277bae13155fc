import { AppError, toFailure } from '../runtime/app-error.ts';
import { colorsFor } from './colors.ts';
import { exitCodes, type CliContext, type ExitCode } from './context.ts';
import { printJson } from './print-json.ts';
import { safeText } from './safe-text.ts';
import { spellCommand } from './spell-command.ts';

/** Codes that say that something is away for now: the caller may try again. */
const unavailableCodes: ReadonlySet<string> = new Set([
  'no_worker',
  'services_busy',
  'store_busy',
  'store_moved',
  'store_closed',
]);
/** Codes of kind `user` that are not the command's fault: what was asked for could not be done. */
const failedCodes: ReadonlySet<string> = new Set(['folder_changed', 'withheld_file', 'apply_incomplete']);
const usageKinds: ReadonlySet<string> = new Set(['user', 'configuration', 'auth']);

export function exitCodeOfError(error: AppError): ExitCode {
  if (unavailableCodes.has(error.code)) return exitCodes.unavailable;
  if (failedCodes.has(error.code)) return exitCodes.failed;
  return usageKinds.has(error.kind) ? exitCodes.usage : exitCodes.failed;
}

/** An error on stderr: what is wrong, each problem on a line, and what to do. As one JSON object where `--json` was asked for. */
export function printError(
  context: Pick<CliContext, 'stderr' | 'env'>,
  error: unknown,
  { json }: { readonly json: boolean },
): void {
  const failure = toFailure(error);
  if (json) {
    printJson(context.stderr, { error: failure });
    return;
  }
  const colors = colorsFor(context.stderr, context.env);
  const spell = (text: string): string => spellCommand(safeText(text), context.env);
  const [first = '', ...more] = spell(failure.message).split('\n');
  const lines = [`${colors.red('error:')} ${first} ${colors.dim(`(${failure.code})`)}`, ...more];
  if (failure.hint !== '') lines.push(`${colors.cyan('  next:')} ${spell(failure.hint)}`);
  if (!(error instanceof AppError) && error instanceof Error && error.stack !== undefined)
    lines.push(colors.dim(safeText(error.stack)));
  context.stderr.write(`${lines.join('\n')}\n`);
}
