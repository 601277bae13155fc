import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import type { JobEvent } from '../../src/contract/event.ts';
import type { JobView } from '../../src/contract/job.ts';
import type { ScenarioInput } from '../scripted-model/scenario.ts';
import { startScriptedModel, type ScriptedModel } from '../scripted-model/start-scripted-model.ts';
import { tempDir, type TempDir } from './temp-dir.ts';

const bin = path.join(import.meta.dirname, '../../bin/capstan.js');
const limitMs = 60_000;
const testKey = 'sk-a-key-that-opens-nothing';

export interface CliResult {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  readonly stdin?: string;
  /** As a user without rights of its own, where the tests run as root. */
  readonly unprivileged?: boolean;
}

export interface CliStage extends AsyncDisposable {
  readonly model: ScriptedModel;
  readonly dir: TempDir;
  readonly dataDir: string;
  /** A folder with one page. */
  readonly site: string;
  readonly env: Readonly<Record<string, string>>;
  /** Runs `bin/capstan.js` to its end. */
  capstan(args: readonly string[], options?: CliOptions): Promise<CliResult>;
  /** Starts it; the caller ends it, or the stage does with SIGKILL. */
  start(args: readonly string[], options?: CliOptions): ChildProcess;
}

/** What is asked of the model by default: a page is added. */
const contactPage: ScenarioInput = {
  conversations: [
    {
      turns: [
        { text: 'I look around first.', commands: ['cat index.html'] },
        { patch: '*** Begin Patch\n*** Add File: contact.html\n+<h1>Contact</h1>\n*** End Patch' },
        {
          final: {
            text: 'Done with it.',
            summary: 'Added a page.',
            files: [{ change: 'created', path: 'contact.html' }],
          },
        },
      ],
    },
  ],
};

/** The command line in surroundings of its own: model, data folder, home, and a folder to work on. */
export async function openCliStage(scenario: ScenarioInput = contactPage): Promise<CliStage> {
  await using opening = new AsyncDisposableStack();
  // Under the temporary folder Codex refuses its helpers.
  const dir = opening.use(await tempDir('cache'));
  await chmod(dir.path, 0o755);
  const model = opening.use(await startScriptedModel({ scenario, acceptedKeys: [testKey] }));
  const [dataDir, site, home] = [dir.join('data'), dir.join('site'), dir.join('home')];
  await Promise.all([mkdir(site), mkdir(home)]);
  await writeFile(path.join(site, 'index.html'), '<h1>Site</h1>\n');
  const env = {
    PATH: process.env['PATH'] ?? '',
    HOME: home,
    CAPSTAN_DATA: dataDir,
    CAPSTAN_CODEX__BASE_URL: model.baseUrl,
    OPENAI_API_KEY: testKey,
  };
  const running = new Set<ChildProcess>();
  opening.defer(async () => {
    await Promise.all(
      [...running].map(async (child) => {
        const exited = once(child, 'exit');
        child.kill('SIGKILL');
        await exited;
      }),
    );
  });
  const held = opening.move();

  function start(args: readonly string[], options: CliOptions = {}): ChildProcess {
    const drop =
      options.unprivileged === true && process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
    const child = spawn(process.execPath, [bin, ...args], {
      cwd: options.cwd ?? dir.path,
      env: { ...env, ...options.env },
      stdio: 'pipe',
      ...drop,
    });
    running.add(child);
    child.once('exit', () => running.delete(child));
    return child;
  }

  return {
    model,
    dir,
    dataDir,
    site,
    env,
    start,
    async capstan(args, options = {}) {
      const child = start(args, options);
      // A child that never reads must not fail the test.
      child.stdin?.on('error', () => {});
      child.stdin?.end(options.stdin ?? '');
      const tooLong = setTimeout(() => child.kill('SIGKILL'), limitMs);
      try {
        const [[code, signal], stdout, stderr] = await Promise.all([
          once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>,
          child.stdout === null ? '' : text(child.stdout),
          child.stderr === null ? '' : text(child.stderr),
        ]);
        return { code, signal, stdout, stderr };
      } finally {
        clearTimeout(tooLong);
      }
    },
    [Symbol.asyncDispose]: () => held[Symbol.asyncDispose](),
  };
}

/** The events that `run --json` printed. */
export function eventsOf({ stdout }: CliResult): readonly JobEvent[] {
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as JobEvent);
}

/** The job that `run --json` ended with. */
export function jobOf(result: CliResult): JobView {
  const last = eventsOf(result).at(-1);
  if (last?.type !== 'job.finished')
    throw new Error(`the job did not finish: ${result.stdout}${result.stderr}`);
  return last.job;
}

/** The error that a command with `--json` ended with. */
export function errorOf({ stderr }: CliResult): {
  kind: string;
  code: string;
  message: string;
  hint: string;
} {
  const line = stderr.split('\n').find((each) => each.startsWith('{"error"')) ?? '{}';
  return (JSON.parse(line) as { error: { kind: string; code: string; message: string; hint: string } }).error;
}
