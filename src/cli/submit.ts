import { resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Command } from 'commander';
import { z } from 'zod';
import { submitJobSchema } from '../contract/job.ts';
import { toJobView } from '../domain/job-view.ts';
import { AppError } from '../runtime/app-error.ts';
import { submitJob } from '../service/jobs/submit-job.ts';
import type { Action, CliCommand } from './command.ts';
import { exitCodes } from './context.ts';
import { openFromCli } from './open.ts';
import { spellCommand } from './spell-command.ts';
import { printJson } from './print-json.ts';

/** `capstan jobs submit`: any type of job, from its input as JSON, as over HTTP. */
export function defineSubmit(command: Command, act: Parameters<CliCommand['define']>[1]): void {
  command
    .command('submit <type> <input>')
    .description('put a job of any type into the queue: its input as JSON, `-` reads it from stdin')
    .option('--key <key>', 'idempotency key: the same key gives the job that was accepted first')
    .option('--json', 'JSON instead of text')
    .action(act(submit));
}

const optionsSchema = z.object({ key: z.string().optional(), json: z.boolean().default(false) });

const submit: Action = async (context, [type = '', said = ''], raw) => {
  const { key, json } = optionsSchema.parse(raw);
  const input = readInput(said === '-' ? await text(context.stdin) : said, context.cwd);
  const { key: _key, ...settings } = raw;
  await using capstan = await openFromCli(context, settings, { quiet: true });
  const request = submitJobSchema.parse({
    type,
    input,
    ...(key === undefined ? {} : { idempotencyKey: key }),
  });
  const { job } = await submitJob(capstan, request);
  if (json) printJson(context.stdout, toJobView(job, capstan.clock()));
  else {
    context.stdout.write(`${job.id}\n`);
    context.stderr.write(
      spellCommand(`Queued; follow it with: capstan jobs logs ${job.id} -f\n`, context.env),
    );
  }
  return exitCodes.ok;
};

/** A source's path starts at the folder that the command was called in. */
function readInput(said: string, cwd: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(said);
  } catch (error) {
    throw badInput(error);
  }
  const parsed = z.record(z.string(), z.unknown()).safeParse(value);
  if (!parsed.success) throw badInput(parsed.error);
  const source = z.record(z.string(), z.unknown()).safeParse(parsed.data['source']);
  if (!source.success) return parsed.data;
  const placed = Object.entries(source.data).map(([name, path]) =>
    (name === 'file' || name === 'dir') && typeof path === 'string'
      ? [name, resolve(cwd, path)]
      : [name, path],
  );
  return { ...parsed.data, source: Object.fromEntries(placed) as unknown };
}

function badInput(cause: unknown): AppError {
  return new AppError('user', 'invalid_input', 'The input is no JSON object.', {
    hint: `Such as: capstan jobs submit plantuml '{"source":{"file":"login.puml"}}'`,
    cause,
  });
}
