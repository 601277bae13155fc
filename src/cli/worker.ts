import { Option } from 'commander';
import { z } from 'zod';
import { startWorker } from '../service/start-worker.ts';
import { workerTypes } from '../service/worker-types.ts';
import type { Action, CliCommand } from './command.ts';
import { exitCodes } from './context.ts';
import { openFromCli } from './open.ts';
import { countOption } from './options.ts';
import { printJson } from './print-json.ts';

export const workerCommand: CliCommand = {
  define(command, act) {
    command
      .addOption(new Option('--type <type>', 'what it works on').choices(workerTypes).default('codex'))
      .addOption(
        new Option('--concurrency <count>', 'jobs at once, instead of worker.concurrency').argParser(
          countOption,
        ),
      )
      .option('--json', 'one JSON object on stdout once it takes jobs: {"type":"worker.ready","workerId"}')
      .addOption(new Option('--parent-pipe', 'stop when stdin ends: whoever started it is gone').hideHelp())
      .action(act(work));
  },
};

const optionsSchema = z.object({
  type: z.enum(workerTypes).default('codex'),
  concurrency: z.number().optional(),
  json: z.boolean().default(false),
  parentPipe: z.boolean().default(false),
});

/** Serves until it is told to stop, then drains: exit 0, as this is how a worker ends. */
const work: Action = async (context, _args, raw) => {
  const { type, concurrency, json, parentPipe } = optionsSchema.parse(raw);
  const { concurrency: _concurrency, type: _type, ...settings } = raw;
  await using capstan = await openFromCli(context, settings, { quiet: false });
  const stop = new AbortController();
  context.interrupted.addEventListener('abort', () => {
    stop.abort();
  });
  if (parentPipe) {
    context.stdin.resume();
    context.stdin.once('end', () => {
      capstan.logger.info({}, 'Whoever started this worker has let go of it; leaving');
      stop.abort();
    });
  }
  const worker = await startWorker(capstan, { type, concurrency }, { drain: stop.signal });
  if (json || parentPipe) printJson(context.stdout, { type: 'worker.ready', workerId: worker.id });
  await worker.stopped;
  // A stdin that nobody ends would keep the process.
  context.stdin.pause();
  return exitCodes.ok;
};
