import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { cacheRoot } from '../test-run.ts';

/**
 * Runs the body while no other process is in one of the same name in that folder; by default it is the checkout's own. The lock is the kernel's, and goes with the process
 * that holds it.
 */
export async function oneAtATime<Result>(
  name: string,
  body: () => Promise<Result>,
  folder = cacheRoot,
): Promise<Result> {
  await mkdir(folder, { recursive: true });
  const lock = spawn('flock', [path.join(folder, `${name}.lock`), 'sh', '-c', 'echo held; cat'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = once(lock, 'exit');
  try {
    await Promise.race([
      once(lock.stdout, 'data'),
      ended.then(() => Promise.reject(new Error('flock ended without the lock'))),
    ]);
    return await body();
  } finally {
    lock.stdin.end();
    await ended;
  }
}
