import { mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import { pause } from '../../runtime/wait.ts';
import type { CodexProcessOptions } from '../codex-process-options.ts';
import { codexEnvironment } from '../codex-process-options.ts';
import type { AgentThreadRequest, AgentTurnResult, StartedThread } from '../driver.ts';
import { attemptMark, attemptVariable, threadConfig } from '../thread-config.ts';
import { toToml } from '../toml.ts';
import { startExecProcess, type ExecProcess } from './exec-process.ts';
import { execFailed, ExecTurn } from './exec-turn.ts';
import { findRollout } from './find-rollout.ts';
import { privateFile } from './private-file.ts';

/** The profile that `CODEX_HOME/NAME.config.toml` holds; see exec-driver.ts. */
export const profileName = 'capstan-job';

/** Runs one turn in a process of its own. Settles when that process has ended. */
export async function runExec(
  options: CodexProcessOptions,
  request: AgentThreadRequest,
): Promise<AgentTurnResult> {
  const sqliteHome = await mkdtemp(path.join(options.scratchDir, 'exec-'));
  try {
    return await runIn(sqliteHome, options, request);
  } finally {
    await rm(sqliteHome, { recursive: true, force: true, maxRetries: 3 });
  }
}

async function runIn(
  sqliteHome: string,
  options: CodexProcessOptions,
  request: AgentThreadRequest,
): Promise<AgentTurnResult> {
  const { signal, resume } = request;
  const turn = new ExecTurn({
    workspaceDir: request.workspaceDir,
    onEvent: (event) => {
      request.onEvent(event);
    },
  });
  const child = await launch(sqliteHome, { options, request, turn });
  const onAbort = (): void => void child.end();
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    const threadId = await Promise.race([turn.threadId, child.exited.then(() => null)]);
    if (threadId === null) {
      if (signal.aborted) throw signal.reason;
      throw execFailed(await child.exited, resume !== null);
    }
    const thread = await threadOf(threadId, options.codexHome, request);
    await request.onThread(thread);
    const exit = await child.exited;
    const ended = { ...thread, finalMessage: turn.finalMessage, usage: turn.usage, error: turn.error };
    if (turn.status !== null) return { ...ended, status: turn.status };
    if (signal.aborted) return { ...ended, status: 'interrupted' };
    throw execFailed(exit, false);
  } finally {
    signal.removeEventListener('abort', onAbort);
    await child.end();
  }
}

interface Launch {
  readonly options: CodexProcessOptions;
  readonly request: AgentThreadRequest;
  readonly turn: ExecTurn;
}

async function launch(sqliteHome: string, { options, request, turn }: Launch): Promise<ExecProcess> {
  const { developerInstructions, resume } = request;
  const settings = {
    ...(request.config ?? threadConfig(request, options)),
    ...(developerInstructions === undefined ? {} : { developer_instructions: developerInstructions }),
    model: request.model,
    sqlite_home: sqliteHome,
    check_for_update_on_startup: false,
    analytics: { enabled: false },
  };
  const config = await privateFile(options.scratchDir, toToml(settings));
  try {
    return startExecProcess({
      command: options.codexBin,
      args: [
        'exec',
        '-p',
        profileName,
        ...(resume === null ? [] : ['resume', resume.threadId]),
        ...(request.execArgs ?? []),
        ...always,
      ],
      env: { ...codexEnvironment(options), TMPDIR: sqliteHome, [attemptVariable]: attemptMark(request) },
      cwd: request.workspaceDir,
      input: request.prompt,
      config,
      containment: options.containment,
      onLine: (line) => {
        turn.onLine(line);
      },
    });
  } finally {
    await config.close();
  }
}

/** `-`: the prompt comes from stdin, which takes one of any length. */
const always = ['--json', '--skip-git-repo-check', '--ignore-rules', '-'];

const rolloutLimitMs = 2_000;

async function threadOf(
  threadId: string,
  codexHome: string,
  request: AgentThreadRequest,
): Promise<StartedThread> {
  const { resume, signal } = request;
  if (resume?.threadId === threadId && resume.rolloutPath !== null) return { ...resume, resumed: true };
  // The file is made about when the thread is said to have started.
  const limit = AbortSignal.any([signal, AbortSignal.timeout(rolloutLimitMs)]);
  let rolloutPath = await findRollout(codexHome, threadId);
  while (rolloutPath === null && !limit.aborted) {
    await pause(50, limit);
    rolloutPath = await findRollout(codexHome, threadId);
  }
  return { threadId, rolloutPath, resumed: resume?.threadId === threadId };
}
