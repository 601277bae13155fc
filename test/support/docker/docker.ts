import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);
const limitMs = 15 * 60_000;

/** What `docker ARGS` prints, trimmed. Rejects with what it said on stderr. */
export async function docker(...args: readonly string[]): Promise<string> {
  const { stdout } = await run('docker', args, { timeout: limitMs, maxBuffer: 64 * 1024 * 1024 });
  return stdout.trim();
}

/** Whether `docker ARGS` succeeds. */
export async function dockerSays(...args: readonly string[]): Promise<boolean> {
  return docker(...args).then(
    () => true,
    () => false,
  );
}
