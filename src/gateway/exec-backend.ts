import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { AgentThreadRequest, AgentTurnResult, CodexDriver } from '../codex/driver.ts';
import { createExecDriver } from '../codex/exec/exec-driver.ts';
import type { JobEventBody } from '../contract/event.ts';
import { AppError } from '../runtime/app-error.ts';
import { systemClock } from '../runtime/clock.ts';
import { newId } from '../runtime/ids.ts';
import type { BackendOptions } from './app-server-backend.ts';
import type { Backend, ModelAccess, TurnContext } from './backend.ts';
import { badRequest } from './bad-request.ts';
import { execPrompt } from './exec-prompt.ts';
import { baseInstructions, gatewayThreadConfig } from './thread-settings.ts';
import { asGatewayError, turnFailure } from './turn-failure.ts';
import { enough, type TurnEnd, type TurnSpec } from './turn.ts';

/** Runs each turn in a `codex exec` of its own: whole messages instead of pieces, no client tools, no forks. The caller disposes it. */
export async function startExecBackend(options: BackendOptions, signal: AbortSignal): Promise<Backend> {
  const driver = createExecDriver(options);
  await driver.start(signal);
  return {
    name: 'exec',
    snapshot: () => null,
    run: (spec, context) => run(driver, { options, spec, context }),
    renew: () => Promise.resolve(),
    beginShutdown: () => undefined,
    [Symbol.asyncDispose]: () => driver[Symbol.asyncDispose](),
  };
}

interface ExecRun {
  readonly options: BackendOptions;
  readonly spec: TurnSpec;
  readonly context: TurnContext;
}

async function run(driver: CodexDriver, { options, spec, context }: ExecRun): Promise<TurnEnd> {
  refuseWhatNeedsAppServer(spec);
  const { signal } = context;
  signal.throwIfAborted();
  using access = options.access();
  const folder = await mkdtemp(path.join(options.turnsDir, 'turn-'));
  const aside = await mkdtemp(path.join(options.scratchDir, 'turn-'));
  const all = AbortSignal.any([signal, access.refused]);
  let threadId = '';
  try {
    const request = await requestOf({ options, spec, context }, { access, folder, aside, signal: all });
    const turn = await driver.runThread({
      ...request,
      onThread: async (thread) => {
        threadId = thread.threadId;
        if (spec.thread.kind === 'kept') await options.threadFiles.begun(threadId);
        context.listener.onActivity();
      },
    });
    return endOf(turn, { options, access, signal: all });
  } catch (error) {
    if (all.aborted && all.reason === enough) return stopped(threadId);
    // Nobody was told of a response in it.
    if (spec.thread.kind === 'kept') await options.threadFiles.forget([threadId]);
    if (all.aborted && error === all.reason) throw error;
    throw asGatewayError(error);
  } finally {
    for (const dir of [folder, aside]) await rm(dir, { recursive: true, force: true, maxRetries: 3 });
  }
}

function refuseWhatNeedsAppServer({ tools, thread }: TurnSpec): void {
  if (tools.length > 0) {
    throw new AppError('user', 'app_server_disabled', 'Tools need the app-server, which is switched off.', {
      hint: 'Set gateway.use_app_server (PROXY_USE_APP_SERVER) to true.',
      details: { param: 'tools' },
    });
  }
  // exec cannot fork: the conversation is told again.
  if (thread.kind === 'forked') throw new AppError('infrastructure', 'thread_gone', 'exec has no forks.');
}

interface Surroundings {
  readonly access: ModelAccess;
  readonly folder: string;
  /** For files that Codex reads and commands do not see. */
  readonly aside: string;
  readonly signal: AbortSignal;
}

async function requestOf(
  { options, spec, context }: ExecRun,
  { access, folder, aside, signal }: Surroundings,
): Promise<Omit<AgentThreadRequest, 'onThread'>> {
  const { thread } = spec;
  const { instructions, prompt, images } = execPrompt(spec);
  const tell = messageTeller(spec, context);
  return {
    jobId: `gateway-${newId()}`,
    attempt: 1,
    workspaceDir: folder,
    homeDir: folder,
    tmpDir: folder,
    prompt,
    developerInstructions: [baseInstructions, ...(instructions === null ? [] : [instructions])].join('\n\n'),
    model: spec.model,
    sandboxMode: options.sandboxMode,
    network: false,
    provider: access.provider,
    deniedPaths: [],
    resume: thread.kind === 'continued' ? { threadId: thread.threadId, rolloutPath: null } : null,
    config: {
      ...gatewayThreadConfig({ ...options, folder, provider: access.provider, verbosity: spec.verbosity }),
      ...(spec.effort === null ? {} : { model_reasoning_effort: spec.effort }),
    },
    execArgs: [
      ...(thread.kind === 'ephemeral' ? ['--ephemeral'] : []),
      ...(await schemaArgs(spec, aside)),
      ...(await imageArgs(images, aside)),
    ],
    signal,
    onEvent: tell,
  };
}

/** exec says whole messages. Under a schema only the last one is the answer; it is told by `endOf`'s caller through its end. */
function messageTeller({ outputSchema }: TurnSpec, { listener }: TurnContext): (event: JobEventBody) => void {
  let isFirst = true;
  let last = '';
  return (event) => {
    listener.onActivity();
    if (event.type === 'agent.usage' && last !== '') listener.onText(last);
    if (event.type !== 'agent.message') return;
    if (outputSchema !== null) {
      last = event.text;
      return;
    }
    listener.onText(isFirst ? event.text : `\n\n${event.text}`);
    isFirst = false;
  };
}

async function schemaArgs({ outputSchema }: TurnSpec, aside: string): Promise<readonly string[]> {
  if (outputSchema === null) return [];
  const file = path.join(aside, 'schema.json');
  await writeFile(file, JSON.stringify(outputSchema));
  return ['--output-schema', file];
}

async function imageArgs(images: readonly string[], aside: string): Promise<readonly string[]> {
  return (
    await Promise.all(
      images.map(async (url, index) => {
        const [, kind, data] = /^data:image\/(\w+);base64,(.*)$/s.exec(url) ?? [];
        if (kind === undefined || data === undefined)
          throw badRequest('Without the app-server, images must be data URLs.', 'messages');
        const file = path.join(aside, `image-${index + 1}.${kind}`);
        await writeFile(file, Buffer.from(data, 'base64'));
        return [`--image=${file}`];
      }),
    )
  ).flat();
}

function endOf(
  turn: AgentTurnResult,
  { options, access, signal }: { options: BackendOptions; access: ModelAccess; signal: AbortSignal },
): TurnEnd {
  if (turn.status === 'interrupted') {
    if (signal.reason === enough) return stopped(turn.threadId);
    throw signal.reason;
  }
  if (turn.status === 'failed') {
    throw turnFailure({
      error: turn.error,
      faults: access.faults(),
      nowMs: systemClock(),
      loginHint: options.loginHint,
    });
  }
  const usage = { ...turn.usage, reasoningTokens: 0 };
  return { reason: 'completed', usage, threadId: turn.threadId, turnId: '', thoughts: [] };
}

function stopped(threadId: string): TurnEnd {
  return { reason: 'stopped', usage: null, threadId, turnId: '', thoughts: [] };
}
