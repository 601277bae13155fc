import { Option, type Command } from 'commander';
import { namedSettings } from '../config/named-settings.ts';

/** The flags by which a command says how many workers there are to be, and how they run. */
export function addWorkerFlags(command: Command): void {
  command
    .addOption(new Option('--workers <mode>', 'how workers run: direct or docker'))
    .addOption(new Option('--worker-count <count>', 'workers of each type'));
  for (const { name, flags } of namedSettings) {
    const [, type] = /^workers\.([a-z]+)\.count$/.exec(name) ?? [];
    const flag = flags.find((each) => each.endsWith('-workers'));
    if (type !== undefined && flag !== undefined)
      command.addOption(new Option(`--${flag} <count>`, `${type} workers`));
  }
}
