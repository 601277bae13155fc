/** The rival of Codex's figures: plain `codex exec --json`, one after the other or several at once, each in a folder of its own. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { answer } from '../support/answer.js';
import { workspacePlaceholder } from '../support/places.ts';

interface Jobs {
  /** A folder for each job that may be under way. */
  readonly workspaces: readonly string[];
  readonly count: number;
  /** The command and what stands before the prompt; the placeholder stands for the workspace. */
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

async function run(jobs: Jobs): Promise<{ readonly tookMs: number; readonly eachMs: number[] }> {
  const began = performance.now();
  const eachMs: number[] = [];
  let left = jobs.count;
  await Promise.all(
    jobs.workspaces.map(async (workspace) => {
      while (left > 0) {
        left -= 1;
        eachMs.push(await runOne(jobs, workspace));
      }
    }),
  );
  return { tookMs: performance.now() - began, eachMs };
}

async function runOne({ command, env }: Jobs, workspace: string): Promise<number> {
  const began = performance.now();
  const [file, ...args] = command.map((word) => word.replaceAll(workspacePlaceholder, workspace));
  if (file === undefined) throw new Error('no command');
  const child = spawn(file, [...args, 'Add the hours'], {
    cwd: workspace,
    env: { ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  const worked = out.includes('"type":"turn.completed"') && out.includes('"exit_code":0');
  if (child.exitCode !== 0 || !worked) throw new Error(`codex exec went wrong: ${out}\n${err}`);
  return performance.now() - began;
}

answer({ run }, () => undefined);
