import { mkdir, readlink, symlink } from 'node:fs/promises';
import path from 'node:path';
import { AppError, hasErrno } from '../../runtime/app-error.ts';
import { pause } from '../../runtime/wait.ts';
import type { CodexProcessOptions } from '../codex-process-options.ts';
import { denySiblings } from '../deny-siblings.ts';
import type { AgentThreadRequest, AgentTurnResult, CodexDriver, DriverSnapshot } from '../driver.ts';
import { endAttempt } from '../end-attempt.ts';
import { profileName, runExec } from './run-exec.ts';

/** How long an old process may take to let go of a thread that is to be resumed. */
const writerLimitMs = 10_000;
const writerPauseMs = 250;

/** Runs each thread in a `codex exec` of its own. The caller disposes it when its threads have ended. */
export function createExecDriver(options: CodexProcessOptions): CodexDriver {
  let activeThreads = 0;
  let threadsRun = 0;
  return {
    name: 'exec',
    async start() {
      await mkdir(options.codexHome, { recursive: true, mode: 0o700 });
      await mkdir(options.scratchDir, { recursive: true, mode: 0o700 });
      await linkProfile(options.codexHome);
    },
    async runThread(request) {
      request.signal.throwIfAborted();
      activeThreads += 1;
      threadsRun += 1;
      try {
        return await runWhenWriterIsGone(options, await denySiblings(request));
      } finally {
        activeThreads -= 1;
        await endAttempt(request);
      }
    },
    renew() {
      // Each process reads it for itself.
    },
    snapshot: (): DriverSnapshot => ({ pid: null, activeThreads, threadsRun, restarts: 0 }),
    async [Symbol.asyncDispose]() {
      // Nothing stays warm.
    },
  };
}

async function runWhenWriterIsGone(
  options: CodexProcessOptions,
  request: AgentThreadRequest,
): Promise<AgentTurnResult> {
  const deadline = performance.now() + writerLimitMs;
  for (;;) {
    try {
      return await runExec(options, request);
    } catch (error) {
      const waits = error instanceof AppError && error.message.includes('active writer');
      if (!waits || performance.now() > deadline) throw error;
      await pause(writerPauseMs, request.signal);
    }
  }
}

/**
 * A profile of Codex is a file in CODEX_HOME. Ours is a link to descriptor 3 of whoever reads it: each process gets the settings of its
 * own attempt, with the token, from a file that has no name. Nothing of it is in arguments, environment or on the disk.
 */
async function linkProfile(codexHome: string): Promise<void> {
  const link = path.join(codexHome, `${profileName}.config.toml`);
  try {
    await symlink('/dev/fd/3', link);
  } catch (error) {
    if (hasErrno(error, 'EEXIST') && (await readlink(link).catch(() => null)) === '/dev/fd/3') return;
    throw new AppError('configuration', 'codex_home_unusable', `${link} could not be made.`, {
      hint: 'Remove it, or set codex.home to a folder that this user may write.',
      cause: error,
    });
  }
}
