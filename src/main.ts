import { readFileSync } from 'node:fs';
import { runCli } from './cli/run-cli.ts';

const signals = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;
type SignalName = keyof typeof signals;

/** The process: signals become an abort, the exit code is set, and nothing else ends the process, except a second signal at once. */
async function main(): Promise<void> {
  const interrupted = new AbortController();
  for (const signal of Object.keys(signals) as SignalName[]) {
    process.on(signal, () => {
      // A closed terminal says so more than once, to be sure.
      if (interrupted.signal.aborted && signal === 'SIGHUP') return;
      if (interrupted.signal.aborted) process.exit(signals[signal]);
      interrupted.abort(signal);
    });
  }
  const output = { failed: false };
  const onOutputError = (error: NodeJS.ErrnoException): void => {
    if (!output.failed && error.code !== 'EPIPE')
      process.stderr.write(`error: what is to be said cannot be written: ${error.message}\n`);
    output.failed ||= error.code !== 'EPIPE';
    // The command may have ended before this is known.
    if (output.failed) process.exitCode = 1;
    // Whoever reads went away (`| head`), or the disk is full: what still runs is stopped, as SIGPIPE would.
    if (!interrupted.signal.aborted) interrupted.abort('SIGPIPE');
  };
  process.stdout.on('error', onOutputError);
  process.stderr.on('error', () => {
    // Nobody is left to be told.
  });
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  const exitCode = await runCli(process.argv.slice(2), {
    env: process.env,
    cwd: process.cwd(),
    // Opening it costs as much as printing the help.
    get stdin() {
      return process.stdin;
    },
    stdout: process.stdout,
    stderr: process.stderr,
    interrupted: interrupted.signal,
    version,
  });
  process.exitCode = output.failed ? 1 : exitCode;
}

await main();
