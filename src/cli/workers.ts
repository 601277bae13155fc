import { Option } from 'commander';
import { z } from 'zod';
import { workerStatusSchema } from '../contract/worker.ts';
import { listWorkers } from '../service/workers/list-workers.ts';
import { cleanupWorkers, type CleanupStep } from '../service/fleet/cleanup-workers.ts';
import type { Action, CliCommand } from './command.ts';
import { exitCodes } from './context.ts';
import { openFromCli } from './open.ts';
import { printJson } from './print-json.ts';
import { printTable } from './print-table.ts';
import { formatDuration } from './render-job.ts';
import { spellCommand } from './spell-command.ts';

export const workersCommand: CliCommand = {
  define(command, act) {
    command
      .command('list')
      .description('registered workers and how they are')
      .addOption(
        new Option('--format <format>', 'how to show them').choices(['table', 'json']).default('table'),
      )
      .addOption(new Option('--status <status>', 'only those').choices(workerStatusSchema.options))
      .option('--json', 'the same as --format json')
      .action(act(list));
    command
      .command('cleanup')
      .description('remove what dead workers left, end workers whose build is gone')
      .option('--dry-run', 'say what would be done')
      .option('--all', 'also end workers that are well and idle, services too')
      .option('--force', 'also end those that hang or are busy')
      .option('--json', 'JSON instead of text')
      .action(act(cleanup));
  },
};

const list: Action = async (context, _args, raw) => {
  const options = z
    .object({
      json: z.boolean().default(false),
      format: z.enum(['table', 'json']),
      status: workerStatusSchema.optional(),
    })
    .parse(raw);
  await using capstan = await openFromCli(context, raw, { quiet: true, existing: true });
  const all = await listWorkers(capstan);
  const workers = all.filter(({ status }) => options.status === undefined || status === options.status);
  if (options.json || options.format === 'json') {
    printJson(context.stdout, { items: workers });
    return exitCodes.ok;
  }
  const now = capstan.clock();
  const rows = workers.map((worker) => [
    worker.name ?? worker.id,
    worker.types.join(','),
    worker.mode,
    worker.status,
    `${worker.activeJobs}/${worker.concurrency}`,
    String(worker.jobsProcessed),
    formatDuration(now - Date.parse(worker.startedAt)),
    worker.containerId ?? String(worker.pid),
  ]);
  printTable(
    context.stdout,
    ['worker', 'types', 'mode', 'status', 'active', 'processed', 'uptime', 'pid / container'],
    rows,
  );
  if (all.length === 0)
    context.stderr.write(
      spellCommand('No workers. Start one with: capstan worker --type codex\n', context.env),
    );
  return exitCodes.ok;
};

const cleanupSchema = z.object({
  dryRun: z.boolean().default(false),
  all: z.boolean().default(false),
  force: z.boolean().default(false),
  json: z.boolean().default(false),
});

const doneWords = {
  remove_record: 'removed the record of',
  end_process: 'ended',
  end_container: 'ended',
  left_alone: 'left alone',
} as const;
const planWords = {
  remove_record: 'would remove the record of',
  end_process: 'would end',
  end_container: 'would end',
  left_alone: 'would leave alone',
} as const;

function whereOf({ pid, containerId }: CleanupStep): string {
  return containerId === null ? `process ${pid ?? 0}` : `container ${containerId}`;
}

/** Exit 1 where something could not be done. */
const cleanup: Action = async (context, _args, raw) => {
  const { json, ...options } = cleanupSchema.parse(raw);
  await using capstan = await openFromCli(context, raw, { quiet: true });
  const steps = await cleanupWorkers(capstan, options);
  if (json) printJson(context.stdout, { items: steps });
  for (const step of json ? [] : steps) {
    const words = options.dryRun ? planWords : doneWords;
    const what = `${step.types.join(',')} worker ${step.name ?? step.workerId ?? ''} (${whereOf(step)})`;
    const failed = step.error === null ? '' : `; failed: ${step.error}`;
    context.stdout.write(`${words[step.action]} ${what}: ${step.why}${failed}\n`);
  }
  if (steps.length === 0) context.stderr.write('Nothing to clean up.\n');
  return steps.some(({ error }) => error !== null) ? exitCodes.failed : exitCodes.ok;
};
