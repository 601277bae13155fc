import { dirname } from 'node:path';
import { Option } from 'commander';
import { z } from 'zod';
import { jobStateSchema, jobStates, type JobView } from '../contract/job.ts';
import { toJobView } from '../domain/job-view.ts';
import { artifactNames } from '../runners/codex/artifact-names.ts';
import { applyJob } from '../service/jobs/apply-job.ts';
import { cancelJob } from '../service/jobs/cancel-job.ts';
import { findJob } from '../service/jobs/find-job.ts';
import { followEvents } from '../service/jobs/follow-events.ts';
import { readPatch } from '../service/jobs/read-patch.ts';
import { resolveJobId } from '../service/jobs/resolve-job-id.ts';
import { retryJob } from '../service/jobs/retry-job.ts';
import { colorsFor } from './colors.ts';
import type { Action, CliCommand } from './command.ts';
import { exitCodeOf, exitCodes, columnsOf, type CliContext } from './context.ts';
import { openFromCli } from './open.ts';
import { definePrune } from './prune.ts';
import { countOption } from './options.ts';
import { printJson } from './print-json.ts';
import { printTable } from './print-table.ts';
import { recentEvents } from '../service/jobs/recent-events.ts';
import { phaseWords, renderEvent } from './render-event.ts';
import { countOf, formatDuration, renderJob, renderState } from './render-job.ts';
import { oneLine, safeText } from './safe-text.ts';
import { spellCommand } from './spell-command.ts';
import { defineSubmit } from './submit.ts';

const quiet = { quiet: true };
const jsonSchema = z.object({ json: z.boolean().default(false) });

export const jobsCommand: CliCommand = {
  define(command, act) {
    const json = ['--json', 'JSON instead of text'] as const;
    command
      .command('list')
      .description('jobs, newest first')
      .addOption(new Option('--state <state>', 'only those in this state').choices(jobStates))
      .addOption(new Option('--limit <count>', 'at most so many').argParser(countOption).default(25))
      .option(...json)
      .action(act(list));
    defineSubmit(command, act);
    command
      .command('show <id>')
      .description('one job, with its difference; the beginning of an id will do')
      .option(...json)
      .action(act(show));
    command
      .command('logs <id>')
      .description('what happened to a job, event by event')
      .option('-f, --follow', 'wait for more until the job has ended')
      .option(...json)
      .action(act(logs));
    command
      .command('cancel <id>')
      .description('stop a job')
      .option(...json)
      .action(act(cancel));
    command
      .command('retry <id>')
      .description('run a failed or cancelled job again, as a new job')
      .option(...json)
      .action(act(retry));
    command
      .command('apply <id>')
      .description("put a succeeded job's change into its folder")
      .option(...json)
      .action(act(apply));
    definePrune(command, act);
  },
};

const list: Action = async (context, _args, raw) => {
  const options = jsonSchema.extend({ state: jobStateSchema.optional(), limit: z.number() }).parse(raw);
  await using capstan = await openFromCli(context, raw, quiet);
  const page = await capstan.store.listJobs({
    limit: options.limit,
    ...(options.state === undefined ? {} : { states: [options.state] }),
  });
  const views = page.items.map((job) => toJobView(job, capstan.clock()));
  if (options.json) {
    printJson(context.stdout, { items: views, nextCursor: page.nextCursor });
    return exitCodes.ok;
  }
  const colors = colorsFor(context.stdout, context.env);
  const rows = views.map((job) => [
    job.id,
    job.type,
    renderState(job.state, colors),
    String(job.attempt),
    formatDuration(job.durationMs),
    waitOf(job, capstan.clock()) + oneLine(job.failure?.message ?? job.summary ?? '', 200),
  ]);
  printTable(context.stdout, ['id', 'type', 'state', 'attempt', 'time', 'what came of it'], rows);
  if (views.length === 0)
    context.stderr.write(
      spellCommand('No jobs yet. Start with: capstan run "Add a contact page" --dir site\n', context.env),
    );
  if (page.nextCursor !== null) context.stderr.write(`There are more; ask for them with --limit.\n`);
  return exitCodes.ok;
};

/** Of a job that rests until a time: how long from now. */
function waitOf({ state, runAt }: JobView, nowMs: number): string {
  if (runAt === null || (state !== 'queued' && state !== 'parked')) return '';
  const ms = Date.parse(runAt) - nowMs;
  return ms < 1_000 ? '' : `waits ${formatDuration(ms)} `;
}

const show: Action = async (context, [id = ''], raw) => {
  const { json } = jsonSchema.parse(raw);
  await using capstan = await openFromCli(context, raw, quiet);
  const job = await findJob(capstan.store, await resolveJobId(capstan.store, id));
  const view = toJobView(job, capstan.clock());
  if (json) {
    printJson(context.stdout, view);
    return exitCodes.ok;
  }
  const patch = await readPatch(capstan.artifacts, job);
  const artifactsAt = dirname(capstan.artifacts.path(job.id, artifactNames.patch));
  const colors = colorsFor(context.stdout, context.env);
  const recent = view.finishedAt === null ? await recentEvents(capstan.store, job) : [];
  const phases = recent.flatMap((event) => (event.type === 'job.phase' ? [phaseWords[event.phase]] : []));
  const said = recent.flatMap((event) => {
    const text = renderEvent(event, colors, columnsOf(context.stdout, 2_000) - 36);
    return text === null ? [] : [`${colors.dim(event.at)} ${text}`];
  });
  const spell = (text: string): string => spellCommand(text, context.env);
  const nowMs = capstan.clock();
  const extras = {
    patch,
    artifactsAt,
    spell,
    nowMs,
    phase: phases.at(-1) ?? null,
    lastEvent: said.at(-1) ?? null,
  };
  context.stdout.write(`${renderJob(view, extras, colors).join('\n')}\n`);
  return exitCodes.ok;
};

const logs: Action = async (context, [id = ''], raw) => {
  const options = jsonSchema.extend({ follow: z.boolean().default(false) }).parse(raw);
  await using capstan = await openFromCli(context, raw, quiet);
  const job = await findJob(capstan.store, await resolveJobId(capstan.store, id));
  const colors = colorsFor(context.stdout, context.env);
  // The time stands before it.
  const width = Math.max(20, columnsOf(context.stdout, 2_000) - 26);
  const follow = { afterSeq: 0, follow: options.follow, signal: context.interrupted };
  for await (const event of followEvents(capstan.store, job.id, follow)) {
    if (options.json) {
      printJson(context.stdout, event);
      continue;
    }
    const text =
      event.type === 'job.finished' ? finished(event.job, context) : renderEvent(event, colors, width);
    if (text !== null) context.stdout.write(`${colors.dim(event.at)} ${text}\n`);
  }
  return context.interrupted.aborted ? exitCodeOf(context.interrupted) : exitCodes.ok;
};

/** The end of a log: what came of it, and the next step where it failed; then what more there is to say of that. */
function finished({ state, failure, summary }: JobView, { stdout, env }: CliContext): string {
  const colors = colorsFor(stdout, env);
  const [why = '', ...more] = failure === undefined ? [summary ?? ''] : failure.message.split('\n');
  const next =
    failure === undefined || failure.hint === '' ? [] : [`next: ${spellCommand(failure.hint, env)}`];
  return [
    `${renderState(state, colors)}${why === '' ? '' : `: ${oneLine(why, 400)}`}`,
    ...[...next.map((line) => oneLine(line, 1_000)), ...more.map(safeText)].map((line) => `  ${line}`),
  ].join('\n');
}

const cancel: Action = async (context, [id = ''], raw) => {
  await using capstan = await openFromCli(context, raw, quiet);
  const job = await cancelJob(capstan.store, await resolveJobId(capstan.store, id));
  const view = toJobView(job, capstan.clock());
  if (jsonSchema.parse(raw).json) printJson(context.stdout, view);
  else
    context.stderr.write(
      view.state === 'cancelled'
        ? `Job ${job.id} is cancelled.\n`
        : `Job ${job.id} is being stopped by its worker.\n`,
    );
  return exitCodes.ok;
};

const retry: Action = async (context, [id = ''], raw) => {
  await using capstan = await openFromCli(context, raw, quiet);
  const job = await retryJob(capstan, await resolveJobId(capstan.store, id));
  if (jsonSchema.parse(raw).json) printJson(context.stdout, toJobView(job, capstan.clock()));
  else {
    context.stdout.write(`${job.id}\n`);
    context.stderr.write(
      spellCommand(
        `Queued again as a new job; follow it with: capstan jobs logs ${job.id} -f\n`,
        context.env,
      ),
    );
  }
  return exitCodes.ok;
};

const apply: Action = async (context, [id = ''], raw) => {
  await using capstan = await openFromCli(context, raw, quiet);
  const job = await findJob(capstan.store, await resolveJobId(capstan.store, id));
  const applied = await applyJob(capstan, job);
  if (jsonSchema.parse(raw).json) printJson(context.stdout, applied);
  else context.stderr.write(`Applied to ${applied.dir}: ${countOf(applied.files, 'file')}.\n`);
  return exitCodes.ok;
};
