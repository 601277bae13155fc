import { AppError } from '../runtime/app-error.ts';
import type { Child, ChildExit } from './child.ts';
import type { SupervisorTime } from './time.ts';

export interface StopGraces {
  /** After its stdin has ended. */
  readonly stdinEndMs: number;
  /** After SIGTERM. */
  readonly termMs: number;
  /** After SIGKILL: longer than this only takes a process that hangs in the kernel. */
  readonly killMs: number;
}

export interface EndChildOptions {
  readonly graces: StopGraces;
  readonly time: SupervisorTime;
  /** Called before SIGKILL, with the graces that were not enough. */
  readonly onGraceExceeded: (graceMs: number) => void;
}

/**
 * Ends a child: stdin end → SIGTERM → SIGKILL, each with its grace. Resolves with how it ended.
 * Rejects with `child_unkillable` (kind infrastructure) when even SIGKILL did not end it within its grace.
 */
export async function endChild(child: Child, options: EndChildOptions): Promise<ChildExit> {
  const { graces, time } = options;
  child.stdin.end();
  const calm = await exitWithin(child, graces.stdinEndMs, time);
  if (calm !== null) return calm;
  child.kill('SIGTERM');
  const asked = await exitWithin(child, graces.termMs, time);
  if (asked !== null) return asked;
  options.onGraceExceeded(graces.stdinEndMs + graces.termMs);
  child.kill('SIGKILL');
  const killed = await exitWithin(child, graces.killMs, time);
  if (killed !== null) return killed;
  throw new AppError(
    'infrastructure',
    'child_unkillable',
    `Process ${String(child.pid)} does not end on SIGKILL.`,
    {
      hint: 'It hangs in the kernel, on a network file system for instance; it is left behind.',
      details: { pid: child.pid },
    },
  );
}

async function exitWithin(child: Child, ms: number, time: SupervisorTime): Promise<ChildExit | null> {
  const { promise, resolve } = Promise.withResolvers<null>();
  const cancel = time.after(ms, () => {
    resolve(null);
  });
  try {
    return await Promise.race([child.exited, promise]);
  } finally {
    cancel();
  }
}
