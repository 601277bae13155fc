import { z } from 'zod';
import { describeConfig } from '../config/describe-settings.ts';
import type { Action, CliCommand } from './command.ts';
import { exitCodes } from './context.ts';
import { loadCliConfig } from './open.ts';
import { printJson } from './print-json.ts';
import { printTable } from './print-table.ts';

export const configCommand: CliCommand = {
  define(command, act) {
    command
      .command('show')
      .description('each setting with its value and where it comes from')
      .option('--json', 'JSON instead of text')
      .action(act(show));
  },
};

const show: Action = (context, _args, raw) => {
  const { json } = z.object({ json: z.boolean().default(false) }).parse(raw);
  const rows = describeConfig(loadCliConfig(context, raw));
  if (json) {
    const items = rows.map(({ name, value, layer, where }) => ({ name, value, layer, where }));
    printJson(context.stdout, { items });
  } else {
    printTable(
      context.stdout,
      ['setting', 'value', 'from'],
      rows.map(({ name, value, where }) => [name, value, where]),
    );
  }
  return Promise.resolve(exitCodes.ok);
};
