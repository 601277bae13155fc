import { readdir, readFile, readlink } from 'node:fs/promises';
import { killQuietly } from '../kill-quietly.ts';
import { runVariable, testRunId } from '../test-run.ts';

/** How long what is already dying has to be gone. */
const graceMs = 2_000;

/**
 * Kills the processes of this run that still live once `graceMs` have passed, and names them. A process is of this run if it inherited the
 * run's variable or, where a closed environment dropped that, if its folder, arguments or environment name the run's temporary folder.
 */
export async function endProcesses(runFolder: string): Promise<string[]> {
  const deadline = performance.now() + graceMs;
  let left = await findProcesses(runFolder);
  while (left.size > 0 && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    left = await findProcesses(runFolder);
  }
  for (const pid of left.keys()) killQuietly(pid);
  return Array.from(left, ([pid, command]) => `process ${pid}: ${command}`);
}

async function findProcesses(runFolder: string): Promise<Map<number, string>> {
  const found = new Map<number, string>();
  // Where there is no /proc there is nothing to look at.
  for (const name of await readdir('/proc').catch(() => [])) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    const command = await readOf(pid, 'cmdline');
    const environment = await readOf(pid, 'environ');
    const folder = await readlink(`/proc/${pid}/cwd`).catch(() => '');
    const marked = `\0${environment}`.includes(`\0${runVariable}=${testRunId()}\0`);
    const inFolder = [command, environment, folder].some((value) => value.includes(runFolder));
    // Our own children are vitest's: what a test left has lost its parent.
    if ((marked || inFolder) && (await parentOf(pid)) !== process.pid) {
      found.set(pid, command.replaceAll('\0', ' ').trim());
    }
  }
  return found;
}

async function parentOf(pid: number): Promise<number> {
  const stat = await readOf(pid, 'stat');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
}

/** Empty for a process that is gone, a zombie or another user's. */
async function readOf(pid: number, file: string): Promise<string> {
  return readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '');
}
