import { spawn, type ChildProcess } from 'node:child_process';
import path from 'node:path';
import { createLineSplitter } from '../../../src/runtime/line-splitter.ts';
import { WaitableLog, type WaitOptions } from '../../scripted-model/request-log.ts';

const checkout = path.join(import.meta.dirname, '../../..');
const bin = path.join(checkout, 'bin/capstan.js');

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A `capstan` command as a person would start it; ended with SIGKILL when disposed. */
export interface Command extends AsyncDisposable {
  readonly pid: number;
  readonly exited: Promise<Ended>;
  /** All of its stderr so far. */
  readonly said: () => string;
  kill(signal: NodeJS.Signals): void;
  /** A line of stdout or stderr that holds `text`: one that was or will be. */
  line(text: string, options?: WaitOptions): Promise<string>;
}

export interface CommandSurroundings {
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** A program that runs the command, with its arguments; none when left out. */
  readonly through?: readonly string[];
}

export function startCommand(
  args: readonly string[],
  { env, cwd, through = [] }: CommandSurroundings,
): Command {
  const [program, ...rest] = [...through, process.execPath, bin, ...args];
  const child = spawn(program ?? process.execPath, rest, { cwd, env: { ...env }, stdio: 'pipe' });
  child.stdin.end();
  const lines = new WaitableLog<string>(5_000);
  let stderr = '';
  collect(child, lines, (text) => (stderr += text));
  const exited = new Promise<Ended>((resolve) => {
    child.once('exit', (code, signal) => {
      resolve({ code, signal });
    });
  });
  const pid = child.pid ?? 0;
  return {
    pid,
    exited,
    said: () => stderr,
    kill: (signal) => void child.kill(signal),
    line: (text, options) =>
      lines.wait(
        `line of \`capstan ${args.join(' ')}\` with "${text}"`,
        (line) => line.includes(text),
        options,
      ),
    async [Symbol.asyncDispose]() {
      child.kill('SIGCONT');
      child.kill('SIGKILL');
      await exited;
    },
  };
}

function collect(child: ChildProcess, lines: WaitableLog<string>, onStderr: (text: string) => void): void {
  for (const stream of [child.stdout, child.stderr]) {
    const splitter = createLineSplitter({
      onLine: (line) => {
        lines.add(line);
      },
      onOverlong: () => undefined,
    });
    stream?.on('data', (chunk: Buffer) => {
      if (stream === child.stderr) onStderr(chunk.toString());
      splitter.push(chunk);
    });
  }
}
