import { dirname, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { Argument, Option } from 'commander';
import { z } from 'zod';
import { AppError } from '../runtime/app-error.ts';
import { artifactNames } from '../runners/codex/artifact-names.ts';
import { applyJob, type Applied } from '../service/apply-job.ts';
import { readPatch } from '../service/read-patch.ts';
import { runJob } from '../service/run-job.ts';
import { toJobView } from '../domain/job-view.ts';
import { colorsFor } from './colors.ts';
import type { Action, CliCommand } from './command.ts';
import { exitCodeOf, exitCodes, type CliContext } from './context.ts';
import { openFromCli } from './open.ts';
import { durationOption } from './options.ts';
import { renderEvent } from './render-event.ts';
import { renderJob } from './render-job.ts';

const optionsSchema = z.object({
  dir: z.string(),
  apply: z.boolean().default(false),
  json: z.boolean().default(false),
  model: z.string().optional(),
  timeout: z.number().optional(),
  check: z.array(z.string()).default([]),
  network: z.boolean().optional(),
  key: z.string().optional(),
});
type Options = z.infer<typeof optionsSchema>;

export const runCommand: CliCommand = {
  define(command, act) {
    command
      .addArgument(new Argument('<prompt>', 'what the agent is to do; `-` reads it from stdin'))
      .option('--dir <folder>', 'the folder to work on; the agent gets a copy', '.')
      .option('--apply', 'put the change into the folder when the job has succeeded')
      .option('--check <command...>', 'shell commands that must exit 0 on the result, else the job fails')
      .option('--model <name>', 'the model, instead of codex.model')
      .addOption(
        new Option('--timeout <duration>', 'the longest that an attempt may take: 90s, 30m, 2h').argParser(
          durationOption,
        ),
      )
      .option('--network', "let the agent's commands reach the network")
      .option('--key <key>', 'idempotency key: the same key gives the job that was accepted first')
      .option('--json', 'one JSON object a line: every event, last job.finished with the job')
      .action(act(run));
  },
};

const run: Action = async (context, args, raw) => {
  const options = optionsSchema.parse(raw);
  const prompt = args[0] === '-' ? await text(context.stdin) : (args[0] ?? '');
  if (prompt.trim() === '') {
    throw new AppError('user', 'no_prompt', 'There is no prompt.', {
      hint: 'Say what the agent is to do: capstan run "Add a contact page" --dir site',
    });
  }
  // `--model`, `--timeout` and `--network` are this job's, not settings of the worker that may run it.
  const { model: _model, timeout: _timeout, network: _network, ...settings } = raw;
  await using capstan = await openFromCli(context, settings, { quiet: true });
  const dir = resolve(context.cwd, options.dir);
  const say = talker(context, options);
  const job = await runJob(
    capstan,
    {
      type: 'codex',
      input: {
        prompt,
        source: { dir },
        checks: options.check,
        ...(options.model === undefined ? {} : { model: options.model }),
        ...(options.timeout === undefined ? {} : { timeoutMs: options.timeout }),
        ...(options.network === undefined ? {} : { network: options.network }),
      },
      ...(options.key === undefined ? {} : { idempotencyKey: options.key }),
    },
    {
      interrupted: context.interrupted,
      waitLimitMs: options.timeout ?? capstan.config.codex.timeoutMs,
      onEvent: say.event,
      onNote: say.note,
    },
  );
  const view = toJobView(job, capstan.clock());
  let applied: Applied | null = null;
  let notApplied: unknown = null;
  if (options.apply && view.state === 'succeeded') {
    try {
      applied = await applyJob(capstan, job);
    } catch (error) {
      notApplied = error;
    }
  }
  if (!options.json) {
    const patch = await readPatch(capstan.artifacts, job);
    const artifactsAt = dirname(capstan.artifacts.path(job.id, artifactNames.patch));
    context.stdout.write(
      `${renderJob(view, { patch, artifactsAt }, colorsFor(context.stdout, context.env)).join('\n')}\n`,
    );
    if (applied !== null) say.note(`Applied to ${dir}: ${applied.files} files.`);
    else if (view.state === 'succeeded' && !options.apply && view.filesChanged.length > 0) {
      say.note(
        `Your folder is as it was. Apply the change with: git -C ${dir} apply ${capstan.artifacts.path(job.id, artifactNames.patch)}`,
      );
    }
  }
  if (notApplied !== null) throw notApplied;
  if (context.interrupted.aborted) return exitCodeOf(context.interrupted);
  return view.state === 'succeeded' ? exitCodes.ok : exitCodes.failed;
};

interface Talker {
  readonly event: Parameters<typeof runJob>[2]['onEvent'];
  readonly note: (text: string) => void;
}

/** Data goes to stdout, talk to stderr; with `--json` every event is data. */
function talker(context: CliContext, { json }: Options): Talker {
  if (json) {
    return {
      event: (event) => void context.stdout.write(`${JSON.stringify(event)}\n`),
      note: (text) => void context.stderr.write(`${text}\n`),
    };
  }
  const colors = colorsFor(context.stderr, context.env);
  return {
    event: (event) => {
      const line = renderEvent(event, colors, context.stderr.columns ?? 160);
      if (line !== null) context.stderr.write(`${line}\n`);
    },
    note: (text) => void context.stderr.write(`${colors.dim(text)}\n`),
  };
}
