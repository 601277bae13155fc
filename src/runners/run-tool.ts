import { AppError } from '../runtime/app-error.ts';
import { within } from '../runtime/wait.ts';
import { startChild } from '../supervisor/child.ts';
import type { Containment } from '../supervisor/contain.ts';

export interface ToolCommand {
  readonly command: string;
  readonly args: readonly string[];
  /** PATH; the whole environment where `env` gives no more. */
  readonly path: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly containment?: Containment;
  readonly limitMs: number;
  readonly signal: AbortSignal;
}

export interface ToolOutput {
  /** Null where a signal ended it. */
  readonly code: number | null;
  /** The last kilobytes of what it wrote, stdout and stderr together. */
  readonly output: string;
}

const byGroup: Containment = { kind: 'process_group', prefix: [], why: 'It ends with its group.' };

/**
 * Runs a program to its end; when this settles, nothing of it is alive that the containment can hold. Rejects where it cannot be started,
 * is aborted (the signal's reason), or takes longer (`tool_timeout`, kind timeout).
 */
export async function runTool(tool: ToolCommand): Promise<ToolOutput> {
  const { command, args, path, limitMs, signal } = tool;
  signal.throwIfAborted();
  const child = await startChild(
    { command, args, env: { ...tool.env, PATH: path }, cwd: tool.cwd ?? '/' },
    { containment: tool.containment ?? byGroup },
  );
  child.stdin.end();
  const timedOut = (): AppError =>
    new AppError(
      'timeout',
      'tool_timeout',
      `${command} took longer than ${String(Math.round(limitMs / 1000))} s.`,
      {
        hint: 'Give it less to do, or more time.',
      },
    );
  try {
    const { code } = await within(child.exited, limitMs, timedOut, signal);
    return { code, output: child.startupOutput() };
  } catch (error) {
    child.kill('SIGKILL');
    await child.exited;
    throw error;
  }
}
