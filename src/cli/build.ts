import { Argument, Option } from 'commander';
import { z } from 'zod';
import type { BuildEvent } from '../contract/build-event.ts';
import { runBuild } from '../service/build/run-build.ts';
import { knownTypes } from '../service/types/known-types.ts';
import { renderBuild } from './build/render-build.ts';
import type { Action, CliCommand } from './command.ts';
import { exitCodeOf, exitCodes } from './context.ts';
import { launchSurroundings } from './launch-surroundings.ts';
import { loadCliConfig, openFromCli } from './open.ts';
import { addWorkerFlags, workerSettings } from './worker-flags.ts';

const outputs = ['default', 'verbose', 'quiet', 'json'] as const;

export const buildCommand: CliCommand = {
  define(command, act) {
    command
      .addArgument(new Argument('[manifest]', 'what to build').default('course.yaml'))
      .addOption(new Option('--force-new-workers', 'start workers even where persistent ones would do'))
      .addOption(new Option('--no-auto-start', 'start no workers: use those that run'))
      .addOption(
        new Option(
          '--only <ids>',
          'jobs of the manifest, with commas between them, and what they need',
        ).argParser(idsOption),
      )
      .addOption(new Option('--explain', 'say why each job runs or does not'))
      .addOption(
        new Option('--output <kind>', 'how to tell what happens').choices(outputs).default('default'),
      )
      .addOption(new Option('--verbose', 'the same as --output verbose, with what the workers log'))
      .addOption(new Option('--json', 'the same as --output json'));
    addWorkerFlags(command);
    command.action(act(build));
  },
};

function idsOption(text: string, before: readonly string[] | undefined): readonly string[] {
  const ids = text.split(',').map((id) => id.trim());
  return [...(before ?? []), ...ids.filter((id) => id !== '')];
}

const optionsSchema = z.object({
  forceNewWorkers: z.boolean().default(false),
  autoStart: z.boolean().default(true),
  only: z.array(z.string()).default([]),
  explain: z.boolean().default(false),
  output: z.enum(outputs),
  verbose: z.boolean().default(false),
  json: z.boolean().default(false),
});

/** Exit 0 where all is made, 1 where a job failed, 2 for a manifest or a setting that is wrong. */
const build: Action = async (context, [manifest = 'course.yaml'], raw) => {
  const options = optionsSchema.parse(raw);
  // What commander says of `--no-auto-start` where nobody did is no flag of the user's.
  const { autoStart, output: _output, ...given } = workerSettings(raw);
  const flags = { ...given, ...(autoStart === false ? { workersAutoStart: false } : {}) };
  const output = options.json ? 'json' : options.verbose ? 'verbose' : options.output;
  const loaded = loadCliConfig(context, flags);
  await using capstan = await openFromCli(context, flags, { quiet: output !== 'verbose', loaded });
  await using view = renderBuild(context, { output, explain: options.explain });
  const onEvent = (event: BuildEvent): void => {
    view.onEvent(event);
  };
  const onInterrupted = (): void => {
    view.onInterrupted();
  };
  context.interrupted.addEventListener('abort', onInterrupted, { once: true });
  const { ok } = await runBuild(capstan, {
    manifest,
    cwd: context.cwd,
    loaded,
    types: context.workerTypes ?? knownTypes,
    only: options.only,
    forceNewWorkers: options.forceNewWorkers,
    surroundings: launchSurroundings(context, raw, (line) => {
      if (output === 'verbose') context.stderr.write(`${line}\n`);
    }),
    interrupted: context.interrupted,
    onEvent,
  });
  if (context.interrupted.aborted) return exitCodeOf(context.interrupted);
  return ok ? exitCodes.ok : exitCodes.failed;
};
