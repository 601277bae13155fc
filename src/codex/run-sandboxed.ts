import path from 'node:path';
import { startChild } from '../supervisor/child.ts';
import type { Containment } from '../supervisor/contain.ts';
import type { AgentThreadRequest } from './driver.ts';
import { endAttempt } from './end-attempt.ts';
import { permissionProfile } from './permission-profile.ts';
import { sandboxArgs } from './sandbox-args.ts';
import { tailText } from './tail-text.ts';
import { attemptMark, attemptVariable } from './thread-config.ts';

export interface SandboxedCommand extends Pick<
  AgentThreadRequest,
  | 'jobId'
  | 'attempt'
  | 'workspaceDir'
  | 'homeDir'
  | 'tmpDir'
  | 'sandboxMode'
  | 'network'
  | 'deniedPaths'
  | 'signal'
> {
  /** Run by bash. */
  readonly command: string;
}

export interface SandboxedResult {
  /** Null where a signal ended it. */
  readonly exitCode: number | null;
  /** The tail of stdout and stderr together. */
  readonly output: string;
}

/** Runs a command of ours where the agent's commands run, with the same rights. When it settles, nothing of it is alive. */
export type RunSandboxed = (command: SandboxedCommand) => Promise<SandboxedResult>;

export interface SandboxSurroundings {
  readonly codexBin: string;
  readonly codexHome: string;
  /** The PATH of the command. */
  readonly commandPath: string;
  readonly containment: Containment;
}

const outputBytes = 16 * 1024;

/**
 * One stream, so that what a command says and what it complains of stay in order; and a real pipe: Node gives its children sockets for
 * stdio, which the sandbox's system call filter keeps programs such as Node from writing to.
 */
const throughPipe = '(eval "$1") 2>&1 </dev/null | cat; exit "${PIPESTATUS[0]}"';

export function sandboxRunner(surroundings: SandboxSurroundings): RunSandboxed {
  return async (command) => {
    const { signal } = command;
    signal.throwIfAborted();
    const { containment } = surroundings;
    const [bin, ...args] = commandLine(command, surroundings);
    const child = await startChild(
      { command: bin, args, env: environment(command, surroundings), cwd: command.workspaceDir },
      { containment },
    );
    child.stdin.end();
    let output = '';
    const stop = child.onOutput((chunk) => {
      output = tailText(output + chunk.toString(), outputBytes);
    });
    const kill = (): void => {
      child.kill('SIGKILL');
    };
    signal.addEventListener('abort', kill, { once: true });
    try {
      const { code } = await child.exited;
      return { exitCode: code, output };
    } finally {
      stop();
      signal.removeEventListener('abort', kill);
      await endAttempt(command);
    }
  };
}

function commandLine(
  command: SandboxedCommand,
  { codexBin, codexHome }: SandboxSurroundings,
): readonly [string, ...string[]] {
  const script = ['-c', throughPipe, 'check', command.command];
  const profile = permissionProfile({ ...command, deniedPaths: [...command.deniedPaths, codexHome] });
  if (profile === null) return ['bash', ...script];
  return [codexBin, ...sandboxArgs(profile, command.workspaceDir, ['bash', ...script])];
}

function environment(
  command: SandboxedCommand,
  { codexHome, commandPath }: SandboxSurroundings,
): Readonly<Record<string, string>> {
  return {
    HOME: command.homeDir,
    TMPDIR: command.tmpDir,
    PATH: commandPath,
    GIT_CEILING_DIRECTORIES: path.dirname(command.workspaceDir),
    CODEX_HOME: codexHome,
    [attemptVariable]: attemptMark(command),
  };
}
