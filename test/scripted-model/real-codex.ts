import { spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { globSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { tempDir } from '../support/temp-dir.ts';

/** A home, a CODEX_HOME that points at the scripted model, and a workspace for one real Codex CLI. */
export interface CodexPlace extends AsyncDisposable {
  readonly workspace: string;
  readonly join: (...parts: string[]) => string;
  readonly env: NodeJS.ProcessEnv;
}

export interface CodexPlaceOptions {
  readonly baseUrl: string;
  readonly key?: string;
  /** Lines for the provider's table, such as `stream_max_retries = 0`; `built-in` for Codex's own provider and a stored login. */
  readonly provider?: readonly string[] | 'built-in';
}

/** No retries of the CLI's own: a fault shows at once. */
export const noRetries = ['request_max_retries = 0', 'stream_max_retries = 0'];

export async function codexPlace(options: CodexPlaceOptions): Promise<CodexPlace> {
  const dir = await tempDir('cache');
  for (const part of ['home', 'codex', 'workspace']) await mkdir(dir.join(part));
  const key = options.key ?? 'sk-scripted-0123456789';
  await writeFile(dir.join('codex', 'config.toml'), configToml(options));
  if (options.provider === 'built-in') {
    await writeFile(dir.join('codex', 'auth.json'), JSON.stringify({ OPENAI_API_KEY: key }));
  }
  return {
    workspace: dir.join('workspace'),
    join: dir.join,
    env: {
      ...withoutSecrets(),
      HOME: dir.join('home'),
      CODEX_HOME: dir.join('codex'),
      ...(options.provider !== 'built-in' && { SCRIPTED_KEY: key }),
    },
    [Symbol.asyncDispose]: () => dir[Symbol.asyncDispose](),
  };
}

function configToml({ baseUrl, provider = [] }: CodexPlaceOptions): string {
  const common = ['model = "gpt-5.5"', 'approval_policy = "never"'];
  const lines =
    provider === 'built-in'
      ? [...common, `openai_base_url = "${baseUrl}"`]
      : [
          ...common,
          'model_provider = "scripted"',
          '[model_providers.scripted]',
          'name = "scripted"',
          `base_url = "${baseUrl}"`,
          'wire_api = "responses"',
          'env_key = "SCRIPTED_KEY"',
          ...provider,
        ];
  return `${lines.join('\n')}\n`;
}

/** The run's marks and the search path, so that a process left behind is found; nothing else of ours. */
function withoutSecrets(): NodeJS.ProcessEnv {
  const names = ['PATH', 'TMPDIR', 'CAPSTAN_TEST_RUN'];
  return Object.fromEntries(names.map((name) => [name, process.env[name]]));
}

export function codexBinary(): string {
  const resolve = createRequire(import.meta.resolve('@openai/codex/package.json')).resolve;
  const folder = path.dirname(resolve(`@openai/codex-${process.platform}-${process.arch}/package.json`));
  const [binary] = globSync('vendor/*/bin/codex', { cwd: folder });
  if (binary === undefined) throw new Error(`no codex binary in ${folder}`);
  return path.join(folder, binary);
}

export interface ExecResult {
  readonly exitCode: number | null;
  readonly events: readonly ExecEvent[];
  readonly threadId: string;
  /** The messages of the top-level `error` events, in order. */
  readonly errors: readonly string[];
  /** The text of the last agent message. */
  readonly message: string;
  readonly items: readonly ExecItem[];
}

export interface ExecItem {
  readonly type: string;
  readonly text?: string;
  readonly command?: string;
  readonly aggregated_output?: string;
  readonly exit_code?: number | null;
  readonly changes?: readonly { readonly path: string; readonly kind: string }[];
}

export interface ExecEvent {
  readonly type: string;
  readonly thread_id?: string;
  readonly message?: string;
  readonly item?: ExecItem;
  readonly usage?: Readonly<Record<string, number>>;
  readonly error?: { readonly message: string };
}

type Child = ChildProcessByStdio<Writable | null, Readable, Readable>;

export interface RunningExec extends AsyncDisposable {
  readonly child: Child;
  readonly result: Promise<ExecResult>;
}

/** Starts `codex exec --json` unsandboxed in the workspace; killed when disposed. */
export function startExec(place: CodexPlace, ...args: readonly string[]): RunningExec {
  const fixed = ['--json', '--skip-git-repo-check', '--dangerously-bypass-approvals-and-sandbox'];
  const child = spawn(codexBinary(), ['exec', ...fixed, ...args], {
    cwd: place.workspace,
    env: place.env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const closed = once(child, 'close');
  child.stderr.resume();
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  return {
    child,
    result: closed.then(() => execResult(child.exitCode, output)),
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
      await closed;
    },
  };
}

export async function exec(place: CodexPlace, ...args: readonly string[]): Promise<ExecResult> {
  await using running = startExec(place, ...args);
  return await running.result;
}

function execResult(exitCode: number | null, output: string): ExecResult {
  const lines = output.split('\n').filter((line) => line.startsWith('{') && line.endsWith('}'));
  const events = lines.map((line) => JSON.parse(line) as ExecEvent);
  const items = events.flatMap(({ type, item }) => (type === 'item.completed' && item ? [item] : []));
  return {
    exitCode,
    events,
    items,
    threadId: events.find(({ type }) => type === 'thread.started')?.thread_id ?? '',
    errors: events.flatMap(({ type, message }) =>
      type === 'error' && message !== undefined ? [message] : [],
    ),
    message: items.findLast(({ type }) => type === 'agent_message')?.text ?? '',
  };
}
