import { z } from 'zod';
import { fleetStatus, type TypeStatus } from '../service/fleet/fleet-status.ts';
import { readWorkerState, workerStateFile } from '../service/fleet/worker-state-file.ts';
import { colorsFor } from './colors.ts';
import type { Action, CliCommand } from './command.ts';
import { exitCodes } from './context.ts';
import { openFromCli } from './open.ts';
import { printJson } from './print-json.ts';
import { printTable } from './print-table.ts';
import { formatDuration } from './render-job.ts';
import { spellCommand } from './spell-command.ts';

export const statusCommand: CliCommand = {
  define(command, act) {
    command.option('--json', 'JSON instead of text').action(act(status));
  },
};

/** The one command with a meaning of its own for its codes: 0 healthy, 1 warning, 2 error. */
const codes = { healthy: exitCodes.ok, warning: exitCodes.failed, error: exitCodes.usage };

const status: Action = async (context, _args, raw) => {
  const { json } = z.object({ json: z.boolean().default(false) }).parse(raw);
  await using capstan = await openFromCli(context, raw, { quiet: true, existing: true });
  const services = await readWorkerState(workerStateFile(context.cwd, capstan.config.dataDir));
  const found = await fleetStatus(capstan, services);
  if (json) {
    printJson(context.stdout, found);
    return codes[found.health];
  }
  const colors = colorsFor(context.stdout, context.env);
  if (found.types.length > 0)
    printTable(context.stdout, ['type', 'workers', 'queued', 'running', 'average'], found.types.map(rowOf));
  for (const { level, message, hint } of found.problems) {
    context.stdout.write(`${level === 'error' ? colors.red('✗') : colors.yellow('!')} ${message}\n`);
    if (hint !== '') context.stdout.write(`  ${colors.cyan('next:')} ${spellCommand(hint, context.env)}\n`);
  }
  context.stdout.write(`${found.health} (${found.dbPath})\n`);
  return codes[found.health];
};

function rowOf({ type, workers, waiting, running, averageMs }: TypeStatus): readonly string[] {
  const counts = Object.entries(workers).map(([name, count]) => `${count} ${name}`);
  const average = averageMs === null ? '-' : formatDuration(averageMs);
  return [type, counts.length === 0 ? 'none' : counts.join(', '), String(waiting), String(running), average];
}
