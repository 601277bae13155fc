import { InvalidArgumentError, Option } from 'commander';
import { z } from 'zod';
import { terminalStates } from '../domain/job.ts';
import { findJob } from '../service/jobs/find-job.ts';
import { deleteJob } from '../service/jobs/delete-jobs.ts';
import { pruneLeftovers, type Leftovers } from '../service/jobs/prune-leftovers.ts';
import { pruneJobs, type Pruned } from '../service/jobs/prune-jobs.ts';
import { resolveJobId } from '../service/jobs/resolve-job-id.ts';
import type { Action, CliCommand } from './command.ts';
import { exitCodeOf, exitCodes } from './context.ts';
import { openFromCli } from './open.ts';
import { durationOption, repeatedOption } from './options.ts';
import { printJson } from './print-json.ts';
import { countOf } from './render-job.ts';

/** `capstan jobs prune` and `capstan jobs delete`: what is kept of jobs that have ended goes. */
export function definePrune(
  command: Parameters<CliCommand['define']>[0],
  act: Parameters<CliCommand['define']>[1],
): void {
  command
    .command('prune')
    .description(
      'delete jobs that ended long ago, with their artifacts and what `retry` would need; logs and threads that nobody has',
    )
    .addOption(
      new Option('--older-than <duration>', 'since they ended: 12h, 30d')
        .argParser(durationOption)
        .makeOptionMandatory(),
    )
    .addOption(
      new Option('--state <state>', 'only those; may be repeated; default: all that have ended')
        .choices(terminalStates)
        .argParser(stateOption),
    )
    .option('--builds', 'also those whose results a build remembers')
    .option('--dry-run', 'say what would be deleted')
    .option('--json', 'JSON instead of text')
    .action(act(prune));
  command
    .command('delete <id...>')
    .description('delete jobs that have ended')
    .option('--json', 'JSON instead of text')
    .action(act(remove));
}

const stateSchema = z.enum(terminalStates);

function stateOption(text: string, before: readonly string[] | undefined): readonly string[] {
  const parsed = stateSchema.safeParse(text);
  if (!parsed.success) throw new InvalidArgumentError(`It must be one of ${terminalStates.join(', ')}.`);
  return repeatedOption(parsed.data, before);
}

const pruneSchema = z.object({
  olderThan: z.number(),
  state: z.array(stateSchema).optional(),
  builds: z.boolean().default(false),
  dryRun: z.boolean().default(false),
  json: z.boolean().default(false),
});

const prune: Action = async (context, _args, raw) => {
  const { olderThan, state, builds, dryRun, json } = pruneSchema.parse(raw);
  await using capstan = await openFromCli(context, raw, { quiet: true });
  const pruned = await pruneJobs(capstan, {
    olderThanMs: olderThan,
    builds,
    dryRun,
    signal: context.interrupted,
    ...(state === undefined ? {} : { states: state }),
  });
  // Who names states means jobs alone.
  const left =
    state === undefined
      ? await pruneLeftovers(capstan, { olderThanMs: olderThan, dryRun, signal: context.interrupted })
      : { logs: 0, threads: 0 };
  if (json) printJson(context.stdout, { dryRun, ...pruned, ...left });
  else context.stderr.write(`${sayPruned(pruned, dryRun)}${sayLeft(left)}\n`);
  return context.interrupted.aborted ? exitCodeOf(context.interrupted) : exitCodes.ok;
};

function sayPruned({ jobs, artifactBytes, keptForBuilds }: Pruned, dryRun: boolean): string {
  const states = terminalStates
    .map((state) => ({ state, count: jobs.filter((job) => job.state === state).length }))
    .filter(({ count }) => count > 0)
    .map(({ state, count }) => `${count} ${state}`);
  const which =
    states.length === 0 ? '' : ` (${states.join(', ')}), ${mebibytes(artifactBytes)} of artifacts`;
  const kept =
    keptForBuilds === 0 ? '' : ` ${countOf(keptForBuilds, 'job')} kept for builds; --builds takes them too.`;
  return `${dryRun ? 'Would delete' : 'Deleted'} ${countOf(jobs.length, 'job')}${which}.${kept}`;
}

function sayLeft({ logs, threads }: Leftovers): string {
  const parts = [
    ...(logs === 0 ? [] : [countOf(logs, 'log of a service that is gone', 'logs of services that are gone')]),
    ...(threads === 0 ? [] : [countOf(threads, 'thread that no job has', 'threads that no job has')]),
  ];
  return parts.length === 0 ? '' : ` And ${parts.join(', ')}.`;
}

function mebibytes(bytes: number): string {
  return `${(bytes / 1024 ** 2).toFixed(1)} MiB`;
}

const remove: Action = async (context, ids, raw) => {
  const { json } = z.object({ json: z.boolean().default(false) }).parse(raw);
  await using capstan = await openFromCli(context, raw, { quiet: true });
  const { store } = capstan;
  const deleted: string[] = [];
  for (const written of ids) {
    const job = await findJob(store, await resolveJobId(store, written));
    await deleteJob(capstan, job);
    deleted.push(job.id);
  }
  if (json) printJson(context.stdout, { deleted });
  else context.stderr.write(`Deleted ${countOf(deleted.length, 'job')}.\n`);
  return exitCodes.ok;
};
