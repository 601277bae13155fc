import { Option } from 'commander';
import { z } from 'zod';
import { knownTypes } from '../service/types/known-types.ts';
import { startServices } from '../service/fleet/start-services.ts';
import { workerStateFile } from '../service/fleet/worker-state-file.ts';
import type { Action, CliCommand } from './command.ts';
import { exitCodeOf, exitCodes } from './context.ts';
import { launchSurroundings } from './launch-surroundings.ts';
import { loadCliConfig, openFromCli } from './open.ts';
import { printJson } from './print-json.ts';
import { printTable } from './print-table.ts';
import { spellCommand } from './spell-command.ts';
import { addWorkerFlags, workerSettings } from './worker-flags.ts';

export const startServicesCommand: CliCommand = {
  define(command, act) {
    addWorkerFlags(command);
    command
      .addOption(new Option('--wait', 'return when all take jobs').default(true).hideHelp())
      .option('--no-wait', 'return when they are started, not when they take jobs')
      .option('--verbose', 'with what happens to the workers')
      .option('--json', 'JSON instead of text')
      .action(act(start));
  },
};

const start: Action = async (context, _args, raw) => {
  const options = z
    .object({ wait: z.boolean(), verbose: z.boolean().default(false), json: z.boolean().default(false) })
    .parse(raw);
  const flags = workerSettings(raw);
  const loaded = loadCliConfig(context, flags);
  await using capstan = await openFromCli(context, flags, { quiet: !options.verbose, loaded });
  const services = await startServices(capstan, {
    loaded,
    types: context.workerTypes ?? knownTypes,
    surroundings: launchSurroundings(context, raw, () => undefined),
    stateFile: workerStateFile(context.cwd, loaded.config.dataDir),
    wait: options.wait,
    onWarning: (message) => {
      context.stderr.write(`! ${message}\n`);
    },
    signal: context.interrupted,
  });
  if (context.interrupted.aborted) return exitCodeOf(context.interrupted);
  if (options.json) printJson(context.stdout, { items: services });
  else {
    const rows = services.map(({ name, type, mode, handle, source }) => [
      name,
      type,
      mode,
      handle ?? '',
      source,
    ]);
    printTable(context.stdout, ['name', 'type', 'mode', 'process', 'from'], rows);
    context.stderr.write(spellCommand('They go on until `capstan stop-services`.\n', context.env));
  }
  return exitCodes.ok;
};
