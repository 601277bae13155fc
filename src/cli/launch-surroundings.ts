import { capstanProgram } from '../service/program.ts';
import type { LaunchSurroundings } from '../service/fleet/launch-surroundings.ts';
import type { CliContext } from './context.ts';

/** What was said on the command line counts for the workers too; the rest they read where this process did. */
const workerFlags = [
  { option: 'dbPath', flag: '--db-path' },
  { option: 'logLevel', flag: '--log-level' },
];

/** What workers get that this command starts. */
export function launchSurroundings(
  context: CliContext,
  raw: Readonly<Record<string, unknown>>,
  onLogLine: (line: string) => void,
): LaunchSurroundings {
  const { env, stderr, cwd } = context;
  const given = Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return {
    program: context.program ?? capstanProgram,
    settings: workerFlags.flatMap(({ option, flag }) => {
      const value = raw[option];
      return typeof value === 'string' ? [flag, value] : [];
    }),
    env: { ...(stderr.isTTY === true ? { CAPSTAN_LOG__FORMAT: 'text' } : {}), ...Object.fromEntries(given) },
    cwd,
    onLogLine,
    onNotice: (message) => {
      stderr.write(`note: ${message}\n`);
    },
  };
}
