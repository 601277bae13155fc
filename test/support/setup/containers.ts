import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import { runLabel, testRunId } from '../test-run.ts';

const run = promisify(execFile);
const limits = { timeout: 20_000 };

/** Removes the containers that carry this run's label, and names them. Where no engine listens there are none. */
export async function removeContainers(): Promise<string[]> {
  if (process.env['DOCKER_HOST'] === undefined && !existsSync('/var/run/docker.sock')) return [];
  const filter = `label=${runLabel}=${testRunId()}`;
  const listed = await run(
    'docker',
    ['ps', '--all', '--filter', filter, '--format', '{{.ID}} {{.Names}}'],
    limits,
  ).catch(() => ({ stdout: '' }));
  const containers = listed.stdout.split('\n').filter((line) => line !== '');
  const ids = containers.map((line) => line.split(' ')[0] ?? '');
  if (ids.length > 0) await run('docker', ['rm', '--force', '--volumes', ...ids], limits);
  return containers.map((line) => `container ${line}`);
}
