import { Option, type Command } from 'commander';
import { namedSettings } from '../config/named-settings.ts';

/** The flags by which a command says how many workers there are to be, and how they run. */
export function addWorkerFlags(command: Command): void {
  command
    .addOption(new Option('--workers <mode>', 'how workers run: direct or docker'))
    .addOption(new Option('--worker-count <count>', 'workers of each type'));
  command.addOption(new Option('--no-pull', 'pull no image that is missing: fail instead'));
  for (const { name, flags } of namedSettings) {
    const [, type] = /^workers\.([a-z]+)\.count$/.exec(name) ?? [];
    const flag = flags.find((each) => each.endsWith('-workers'));
    if (type !== undefined && flag !== undefined)
      command.addOption(new Option(`--${flag} <count>`, `${type} workers`));
  }
}

/** What those flags say as settings: commander's own idea of a `--no-` flag that nobody gave is none of the user's. */
export function workerSettings(raw: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const { pull, ...given } = raw;
  return pull === false ? { ...given, workersPull: 'never' } : given;
}
