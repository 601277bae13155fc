import { tmpdir } from 'node:os';
import { startChild } from '../supervisor/child.ts';
import { AppError } from '../runtime/app-error.ts';
import { within } from '../runtime/wait.ts';

export interface CodexCommand {
  readonly bin: string;
  readonly args: readonly string[];
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly limitMs: number;
  readonly signal: AbortSignal;
}

export interface CodexOutput {
  /** Null where a signal ended it. */
  readonly code: number | null;
  /** The last kilobytes of what it wrote, stdout and stderr together. */
  readonly output: string;
}

/** Runs a short command of the Codex CLI to its end. Rejects where it cannot be started, is aborted, or takes longer (`codex_timeout`). */
export async function runCodex(command: CodexCommand): Promise<CodexOutput> {
  const { bin, args, env, limitMs, signal } = command;
  signal.throwIfAborted();
  const child = await startChild(
    { command: bin, args, env, cwd: tmpdir() },
    { containment: { kind: 'process_group', prefix: [], why: 'It ends with its group.' } },
  );
  child.stdin.end();
  const timedOut = (): AppError =>
    new AppError(
      'infrastructure',
      'codex_timeout',
      `${bin} ${args.join(' ')} took longer than ${String(limitMs)} ms.`,
    );
  try {
    const { code } = await within(child.exited, limitMs, timedOut, signal);
    return { code, output: child.startupOutput().trim() };
  } catch (error) {
    child.kill('SIGKILL');
    await child.exited;
    throw error;
  }
}
