import { Option } from 'commander';
import { z } from 'zod';
import { stopServices } from '../service/fleet/stop-services.ts';
import { readWorkerState, workerStateFile } from '../service/fleet/worker-state-file.ts';
import type { Action, CliCommand } from './command.ts';
import { exitCodes } from './context.ts';
import { launchSurroundings } from './launch-surroundings.ts';
import { loadCliConfig, openFromCli } from './open.ts';
import { durationOption } from './options.ts';
import { printJson } from './print-json.ts';

export const stopServicesCommand: CliCommand = {
  define(command, act) {
    command
      .addOption(
        new Option(
          '--timeout <duration>',
          'how long they may finish, instead of workers.stop_timeout',
        ).argParser(durationOption),
      )
      .option('--force', "go on where other services than this database's were started here")
      .option('--json', 'JSON instead of text')
      .action(act(stop));
  },
};

const optionsSchema = z.object({
  timeout: z.number().optional(),
  force: z.boolean().default(false),
  json: z.boolean().default(false),
});

const stop: Action = async (context, _args, raw) => {
  const { timeout, force, json } = optionsSchema.parse(raw);
  const { timeout: _timeout, ...given } = raw;
  const before = loadCliConfig(context, given);
  const stateFile = workerStateFile(context.cwd, before.config.dataDir);
  const state = await readWorkerState(stateFile);
  // Who names no database means the one that the services were started on.
  const named = ['flag', 'environment'].includes(before.origins.get('db_path')?.layer ?? '');
  const settings = named || state === null ? given : { ...given, dbPath: state.dbPath };
  await using capstan = await openFromCli(context, settings, { quiet: true });
  const stopped = await stopServices(capstan, {
    surroundings: launchSurroundings(context, settings, () => undefined),
    stateFile,
    force,
    graceMs: timeout ?? capstan.config.workers.stopTimeoutMs,
  });
  if (json) printJson(context.stdout, { items: stopped });
  else if (stopped.length === 0) context.stderr.write(`No services run on ${capstan.config.dbPath}.\n`);
  else for (const { name } of stopped) context.stderr.write(`Stopped ${name}.\n`);
  return exitCodes.ok;
};
