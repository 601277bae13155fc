/** Once a run: gives it an id and a temporary folder of its own; at the end fails it for every process, container or folder that a test left. */
import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { cacheRoot, leftoversVariable, runFolderPrefix, runVariable, testRunId } from '../test-run.ts';
import { joinEngine, leaveEngine } from '../docker/engine.ts';
import { removeContainers } from './containers.ts';
import { endProcesses } from './processes.ts';

/** Node and V8 keep their caches for the next start: not a test's. */
const kept = new Set(['node-compile-cache']);

export async function setup(): Promise<() => Promise<void>> {
  process.env[runVariable] = randomBytes(4).toString('hex');
  const runFolder = await mkdtemp(path.join(tmpdir(), runFolderPrefix()));
  // Like the temporary folder itself: tests also run programs as another user.
  await chmod(runFolder, 0o1777);
  process.env['TMPDIR'] = runFolder;
  await joinEngine(testRunId());
  return () => teardown(runFolder);
}

async function teardown(runFolder: string): Promise<void> {
  const left = [
    ...(await endProcesses(runFolder)),
    ...(await removeContainers(runFolder)),
    ...(await leaveEngine(testRunId()).then(() => removeFolders(runFolder))),
  ];
  if (left.length === 0) return;
  process.env[leftoversVariable] = String(left.length);
  throw new Error(`The tests left behind:\n${left.map((what) => `  ${what}`).join('\n')}`);
}

async function removeFolders(runFolder: string): Promise<string[]> {
  const inTemp = (await readdir(runFolder)).filter((name) => !kept.has(name));
  const inCache = (await readdir(cacheRoot).catch(() => [])).filter((name) =>
    name.startsWith(runFolderPrefix()),
  );
  const folders = [
    ...inTemp.map((name) => path.join(runFolder, name)),
    ...inCache.map((name) => path.join(cacheRoot, name)),
  ];
  for (const folder of [...folders, runFolder]) await rm(folder, { recursive: true, force: true });
  return folders;
}
