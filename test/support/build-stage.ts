import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect } from 'vitest';
import { buildEventSchema, type BuildEvent } from '../../src/contract/build-event.ts';
import { createLineSplitter } from '../../src/runtime/line-splitter.ts';
import { openSqliteStore } from '../../src/store/sqlite/open-sqlite-store.ts';
import type { Store } from '../../src/domain/store.ts';
import { processesIn } from '../e2e/support/processes.ts';
import { killQuietly } from './kill-quietly.ts';
import { tempDir } from './temp-dir.ts';

const program = path.join(import.meta.dirname, '../children/capstan.ts');
const polling = { timeout: 20_000, interval: 20 };

export interface Ran {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  /** What `--json` of a build told. */
  readonly events: readonly BuildEvent[];
}

export interface Running {
  readonly pid: number;
  readonly ended: Promise<Ran>;
  /** Its stderr so far. */
  said(): string;
  kill(signal: NodeJS.Signals): void;
}

/** A project with a manifest, a data folder of its own, and a `capstan` that knows the type `shout`. */
export interface BuildStage extends AsyncDisposable {
  readonly root: string;
  readonly dataDir: string;
  /** What its commands run with. */
  readonly environment: Readonly<Record<string, string>>;
  join(...parts: readonly string[]): string;
  /** Writes files below the root. */
  write(files: Readonly<Record<string, string>>): Promise<void>;
  /** Null where there is none. */
  read(file: string): string | null;
  start(args: readonly string[], env?: Readonly<Record<string, string>>): Running;
  run(args: readonly string[], env?: Readonly<Record<string, string>>): Promise<Ran>;
  /** `capstan build --json` with more arguments. */
  build(...args: readonly string[]): Promise<Ran>;
  /** Resolves when the file is there and has so many lines. */
  lines(file: string, count: number): Promise<readonly string[]>;
  /** All below a folder, sorted. */
  files(folder: string): Promise<readonly string[]>;
  store(): Promise<Store>;
  /** Resolves when no process works in this stage. */
  quiet(): Promise<void>;
}

export async function openBuildStage(files: Readonly<Record<string, string>>): Promise<BuildStage> {
  const dir = await tempDir();
  const open = new AsyncDisposableStack();
  open.use(dir);
  const root = dir.join('project');
  const dataDir = dir.join('data');
  await Promise.all([root, dataDir, dir.join('home')].map((folder) => mkdir(folder, { recursive: true })));
  const environment = {
    PATH: process.env['PATH'] ?? '',
    HOME: dir.join('home'),
    CAPSTAN_DATA: dataDir,
    CAPSTAN_WORKERS__CODEX__COUNT: '0',
    CAPSTAN_WORKERS__PLANTUML__COUNT: '0',
    CAPSTAN_WORKERS__NOTEBOOK__COUNT: '0',
    CAPSTAN_WORKERS__DRAWIO__COUNT: '0',
    CAPSTAN_WORKERS__START_RETRIES: '1',
    CAPSTAN_WORKER__CONCURRENCY: '4',
  };
  const quiet = async (): Promise<void> => {
    await expect
      .poll(() => processesIn(dir.path).map(({ pid, args }) => `${String(pid)}: ${args.join(' ')}`), polling)
      .toEqual([]);
  };
  open.defer(async () => {
    try {
      await quiet();
    } finally {
      for (const { pid } of processesIn(dir.path)) killQuietly(pid);
    }
  });
  const stage: BuildStage = {
    root,
    dataDir,
    environment,
    join: (...parts) => path.join(root, ...parts),
    async write(written) {
      for (const [name, content] of Object.entries(written)) {
        const file = path.join(root, name);
        await mkdir(path.dirname(file), { recursive: true });
        await writeFile(file, content);
      }
    },
    read: (file) => (existsSync(path.join(root, file)) ? readFileSync(path.join(root, file), 'utf8') : null),
    start: (args, env = {}) => start(args, { cwd: root, env: { ...environment, ...env } }),
    run: (args, env = {}) => start(args, { cwd: root, env: { ...environment, ...env } }).ended,
    build: (...args) => stage.run(['build', '--json', ...args]),
    async lines(file, count) {
      const read = async (): Promise<readonly string[]> =>
        (await readFile(path.join(root, file), 'utf8').catch(() => ''))
          .split('\n')
          .filter((line) => line !== '');
      await expect.poll(async () => (await read()).length, polling).toBe(count);
      return read();
    },
    async files(folder) {
      const entries = await readdir(path.join(root, folder), { recursive: true, withFileTypes: true });
      return entries
        .filter((entry) => entry.isFile())
        .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)))
        .sort();
    },
    store: () => openSqliteStore({ dbPath: path.join(dataDir, 'capstan.db') }),
    quiet,
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
  await stage.write(files);
  return stage;
}

function start(
  args: readonly string[],
  { cwd, env }: { readonly cwd: string; readonly env: Readonly<Record<string, string>> },
): Running {
  const runEnv = process.env['CAPSTAN_TEST_RUN'];
  const child = spawn(process.execPath, [program, ...args], {
    cwd,
    env: { ...env, ...(runEnv === undefined ? {} : { CAPSTAN_TEST_RUN: runEnv }) },
    stdio: 'pipe',
  });
  child.stdin.end();
  let [stdout, stderr] = ['', ''];
  const events: BuildEvent[] = [];
  const lines = createLineSplitter({
    onLine: (line) => {
      const parsed = line.startsWith('{') ? buildEventSchema.safeParse(JSON.parse(line)) : null;
      if (parsed?.success === true) events.push(parsed.data);
    },
    onOverlong: () => undefined,
  });
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
    lines.push(chunk);
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const ended = new Promise<Ran>((resolve) => {
    child.once('close', (code, signal) => {
      resolve({ code, signal, stdout, stderr, events });
    });
  });
  return {
    pid: child.pid ?? 0,
    ended,
    said: () => stderr,
    kill: (signal) => void child.kill(signal),
  };
}

/** The state of each task, by its name. */
export function statesOf({ events }: Ran): Readonly<Record<string, string>> {
  return Object.fromEntries(
    events.flatMap((event) => (event.type === 'task.finished' ? [[event.task, event.state]] : [])),
  );
}

/** Why each task came out as it did, by its name. */
export function reasonsOf({ events }: Ran): Readonly<Record<string, string>> {
  return Object.fromEntries(
    events.flatMap((event) => (event.type === 'task.finished' ? [[event.task, event.why]] : [])),
  );
}
