import { z } from 'zod';
import { listWorkers } from '../service/list-workers.ts';
import type { Action, CliCommand } from './command.ts';
import { exitCodes } from './context.ts';
import { openFromCli } from './open.ts';
import { printJson } from './print-json.ts';
import { printTable } from './print-table.ts';
import { formatDuration } from './render-job.ts';

export const workersCommand: CliCommand = {
  define(command, act) {
    command
      .command('list')
      .description('registered workers and how they are')
      .option('--json', 'JSON instead of text')
      .action(act(list));
  },
};

const list: Action = async (context, _args, raw) => {
  const { json } = z.object({ json: z.boolean().default(false) }).parse(raw);
  await using capstan = await openFromCli(context, raw, { quiet: true });
  const workers = await listWorkers(capstan);
  if (json) {
    printJson(context.stdout, { items: workers });
    return exitCodes.ok;
  }
  const now = capstan.clock();
  const rows = workers.map((worker) => [
    worker.id,
    worker.types.join(','),
    worker.mode,
    worker.status,
    `${worker.activeJobs}/${worker.concurrency}`,
    String(worker.jobsProcessed),
    formatDuration(now - Date.parse(worker.startedAt)),
    String(worker.pid),
  ]);
  printTable(context.stdout, ['id', 'types', 'mode', 'status', 'active', 'processed', 'uptime', 'pid'], rows);
  if (workers.length === 0) context.stderr.write('No workers. Start one with: capstan worker --type codex\n');
  return exitCodes.ok;
};
