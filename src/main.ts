import { readFileSync } from 'node:fs';
import { runCli } from './cli/run-cli.ts';

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** The process: signals become an abort, the exit code is set, and nothing else ends the process, except a second signal at once. */
async function main(): Promise<void> {
  const interrupted = new AbortController();
  for (const signal of signals) {
    process.on(signal, () => {
      if (interrupted.signal.aborted) process.exit(signal === 'SIGINT' ? 130 : 143);
      interrupted.abort(signal);
    });
  }
  // A reader that went away (`| head`) is not an error of ours.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
    throw error;
  });
  // Nobody reads what a process that outlives its parent still says; its work goes on.
  process.stderr.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  process.exitCode = await runCli(process.argv.slice(2), {
    env: process.env,
    cwd: process.cwd(),
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    interrupted: interrupted.signal,
    version,
  });
}

await main();
