/** `capstan` with one more worker type, `shout`: a tool that is there on every machine and does as its input says. Started as the real one is. */
import { runCli } from '../../src/cli/run-cli.ts';
import { knownTypes } from '../../src/service/types/known-types.ts';
import { shoutType } from '../support/shout-type.ts';

const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    if (interrupted.signal.aborted) process.exit(130);
    interrupted.abort(signal);
  });
}
process.exitCode = await runCli(process.argv.slice(2), {
  env: process.env,
  cwd: process.cwd(),
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  interrupted: interrupted.signal,
  version: '0.0.0-test',
  program: [process.execPath, import.meta.filename],
  workerTypes: new Map([...knownTypes, [shoutType.name, shoutType]]),
});
