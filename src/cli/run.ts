import { dirname, resolve } from 'node:path';
import { Argument, Option } from 'commander';
import { z } from 'zod';
import { submitJobSchema, type JobView } from '../contract/job.ts';
import type { LoadedConfig } from '../config/load-config.ts';
import { workerDemand } from '../config/worker-settings.ts';
import { AppError } from '../runtime/app-error.ts';
import { newId } from '../runtime/ids.ts';
import { artifactNames } from '../runners/codex/artifact-names.ts';
import { applyJob } from '../service/jobs/apply-job.ts';
import type { Capstan } from '../service/open-capstan.ts';
import { readPatch } from '../service/jobs/read-patch.ts';
import { someoneServes } from '../service/workers/list-workers.ts';
import { submitJob } from '../service/jobs/submit-job.ts';
import type { OwnWorker } from '../service/workers/own-worker.ts';
import { runJob } from '../service/jobs/run-job.ts';
import { launchedWorker } from '../service/fleet/launched-worker.ts';
import type { Job } from '../domain/job.ts';
import { toJobView } from '../domain/job-view.ts';
import { colorsFor } from './colors.ts';
import type { Action, CliCommand } from './command.ts';
import { exitCodeOf, exitCodes, type CliContext, type ExitCode } from './context.ts';
import { launchSurroundings } from './launch-surroundings.ts';
import { loadCliConfig, openFromCli } from './open.ts';
import { durationOption, repeatedOption } from './options.ts';
import { readPrompt } from './read-prompt.ts';
import { countOf, formatDuration, renderJob } from './render-job.ts';
import { printJson } from './print-json.ts';
import { spellCommand } from './spell-command.ts';
import { openRunView } from './run-view.ts';
import { safeText } from './safe-text.ts';

const optionsSchema = z.object({
  dir: z.string(),
  apply: z.boolean().default(false),
  json: z.boolean().default(false),
  detach: z.boolean().default(false),
  model: z.string().optional(),
  timeout: z.number().optional(),
  check: z.array(z.string()).default([]),
  network: z.boolean().optional(),
  key: z.string().optional(),
});
type Options = z.infer<typeof optionsSchema>;

const moreHelp = `
Exit codes: 0 the job succeeded, 1 it did not, 2 wrong usage or configuration, 69 the store is busy, 130 interrupted.

Examples:
  capstan run "Add a contact page" --dir site
  capstan run "Add a contact page" --dir site --detach
  capstan run "Fix the failing test" --dir . --check "npm test" --apply
  cat task.md | capstan run - --dir site --json
`;

export const runCommand: CliCommand = {
  define(command, act) {
    const timeout = new Option('--timeout <duration>', 'the longest that an attempt may take: 90s, 30m, 2h');
    const check = new Option(
      '--check <command>',
      'a shell command that must exit 0 on the result, else the job fails; may be repeated',
    );
    command
      .addArgument(new Argument('<prompt>', 'what the agent is to do; `-` reads it from stdin'))
      .option('--dir <folder>', 'the folder to work on; the agent gets a copy', '.')
      .option('--apply', 'put the change into the folder when the job has succeeded')
      .addOption(check.argParser(repeatedOption))
      .option('--model <name>', 'the model, instead of codex.model')
      .addOption(timeout.argParser(durationOption))
      .option('--network', "let the agent's commands reach the network")
      .option('--key <key>', 'idempotency key: the same key gives the job that was accepted first')
      .option('--detach', 'print the id of the job and leave it to a worker; `jobs logs -f` follows it')
      .option('--json', 'one JSON object a line: every event, last job.finished with the job')
      .addHelpText('after', moreHelp)
      .action(act(run));
  },
};

const run: Action = async (context, args, raw) => {
  const options = optionsSchema.parse(raw);
  const prompt = await readPrompt(args[0] ?? '', context).catch((error: unknown) => {
    if (!context.interrupted.aborted) throw error;
    return null;
  });
  if (prompt === null) return exitCodeOf(context.interrupted);
  // `--model`, `--timeout` and `--network` are this job's, not settings of the worker that may run it.
  const { model: _model, timeout: _timeout, network: _network, ...settings } = raw;
  const loaded = loadCliConfig(context, settings);
  await using capstan = await openFromCli(context, settings, { quiet: true, loaded });
  if (options.detach) return await detach(capstan, prompt, { context, options });
  const job = await follow(capstan, prompt, {
    context,
    options,
    own: ownWorker(capstan, context, { loaded, settings }),
  });
  const view = toJobView(job, capstan.clock());
  const colors = colorsFor(context.stdout, context.env);
  if (!options.json) {
    const patch = await readPatch(capstan.artifacts, job);
    const artifactsAt = dirname(capstan.artifacts.path(job.id, artifactNames.patch));
    context.stdout.write(
      `${renderJob(view, { patch, artifactsAt, nowMs: capstan.clock(), spell: (text) => spellCommand(text, context.env) }, colors).join('\n')}\n`,
    );
  }
  if (context.interrupted.aborted && view.state !== 'succeeded') return exitCodeOf(context.interrupted);
  if (view.state === 'parked') throw stillParked(view);
  const mayApply = options.apply && view.state === 'succeeded' && !context.interrupted.aborted;
  const applied = mayApply ? await applyJob(capstan, job) : null;
  if (!options.json) sayHowItEnded(context, view, applied?.files ?? null);
  if (context.interrupted.aborted) return exitCodeOf(context.interrupted);
  return view.state === 'succeeded' ? exitCodes.ok : exitCodes.failed;
};

interface Followed {
  readonly context: CliContext;
  readonly options: Options;
}

/** What is asked for, as `POST /api/jobs` takes it. */
function requestOf(prompt: string, { context, options }: Followed) {
  const { model, timeout, network, key } = options;
  return {
    type: 'codex',
    input: {
      prompt,
      source: { dir: resolve(context.cwd, options.dir) },
      checks: options.check,
      ...(model === undefined ? {} : { model }),
      ...(timeout === undefined ? {} : { timeoutMs: timeout }),
      ...(network === undefined ? {} : { network }),
    },
    ...(key === undefined ? {} : { idempotencyKey: key }),
  };
}

/** Runs the job, showing what happens, until it has ended or is parked for longer than anybody waits. */
async function follow(
  capstan: Capstan,
  prompt: string,
  { context, options, own }: Followed & { readonly own: OwnWorker | null },
): Promise<Job> {
  using view = openRunView(context, options);
  return await runJob(capstan, requestOf(prompt, { context, options }), {
    interrupted: context.interrupted,
    waitLimitMs: options.timeout ?? capstan.config.codex.timeoutMs,
    onEvent: view.event,
    onNote: view.note,
    own,
  });
}

interface OwnWorkerSettings {
  readonly loaded: LoadedConfig;
  /** As they were given on the command line. */
  readonly settings: Readonly<Record<string, unknown>>;
}

/** Null where it is to be one in this process. */
function ownWorker(
  capstan: Capstan,
  context: CliContext,
  { loaded, settings }: OwnWorkerSettings,
): OwnWorker | null {
  const demand = workerDemand(loaded, 'codex');
  if (demand.mode === 'direct') return null;
  const surroundings = launchSurroundings(context, settings, () => undefined);
  const name = `capstan-run-${newId().slice(-12)}`;
  return launchedWorker(capstan, { name, demand, surroundings, signal: context.interrupted });
}

/** Accepts the job and leaves; says where no worker is there to take it. */
async function detach(capstan: Capstan, prompt: string, { context, options }: Followed): Promise<ExitCode> {
  if (options.apply) {
    throw new AppError('user', 'bad_usage', '--apply cannot be used with --detach.', {
      hint: 'Put the change into the folder when the job has succeeded: capstan jobs apply ID.',
    });
  }
  const { job } = await submitJob(capstan, submitJobSchema.parse(requestOf(prompt, { context, options })));
  if (options.json) printJson(context.stdout, toJobView(job, capstan.clock()));
  else context.stdout.write(`${job.id}\n`);
  const isServed = await someoneServes(capstan, job.type);
  const next = isServed
    ? `Follow it with: capstan jobs logs ${job.id} -f`
    : 'No worker is there to take it yet; start one with: capstan worker';
  context.stderr.write(`Accepted. ${spellCommand(next, context.env)}\n`);
  return exitCodes.ok;
}

/** The last line: what came of it, and the next step. */
function sayHowItEnded({ stderr, env }: CliContext, job: JobView, appliedFiles: number | null): void {
  const colors = colorsFor(stderr, env);
  const took = `in ${formatDuration(job.durationMs)}`;
  if (job.state !== 'succeeded') {
    const why = job.failure === undefined ? '' : `: ${safeText(job.failure.message)}`;
    stderr.write(`${colors.red('✗')} ${job.state} ${took}${why}\n`);
    return;
  }
  stderr.write(
    `${colors.green('✓')} succeeded ${took}, ${countOf(job.filesChanged.length, 'file')} changed. `,
  );
  if (appliedFiles !== null) stderr.write('The change is in your folder.\n');
  else if (job.filesChanged.length === 0) stderr.write('Your folder is as it was.\n');
  else {
    const next = spellCommand(`capstan jobs apply ${job.id}`, env);
    stderr.write(`Your folder is as it was; put the change into it with: ${next}\n`);
  }
}

/** The job waits in the store; nobody has to. */
function stillParked({ id, failure, runAt }: JobView): AppError {
  const message = `Job ${id} is parked until ${runAt ?? 'later'}: ${failure?.message ?? 'a limit was reached'}`;
  return new AppError('limit', 'job_parked', message, {
    hint: 'It is kept: a `capstan worker` or the next `capstan run` after that time takes it. Wait longer with --timeout, or stop it with `capstan jobs cancel`.',
  });
}
