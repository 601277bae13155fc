import { Argument } from 'commander';
import { z } from 'zod';
import { describeConfig, type SettingValueRow } from '../config/describe-settings.ts';
import { AppError } from '../runtime/app-error.ts';
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
      .addArgument(new Argument('[name]', 'only this setting, or those of this section: workers'))
      .option('--json', 'JSON instead of text')
      .action(act(show));
  },
};

const show: Action = (context, [name], raw) => {
  const { json } = z.object({ json: z.boolean().default(false) }).parse(raw);
  const all = describeConfig(loadCliConfig(context, raw));
  const rows = name === undefined ? all : below(all, name);
  if (json) {
    const items = rows.map(({ name, plain, layer, where }) => ({ name, value: plain, layer, where }));
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

function below(rows: readonly SettingValueRow[], name: string): readonly SettingValueRow[] {
  const found = rows.filter((row) => row.name === name || row.name.startsWith(`${name}.`));
  if (found.length > 0) return found;
  const sections = new Set(rows.flatMap((row) => (row.name.includes('.') ? [row.name.split('.')[0]] : [])));
  throw new AppError('user', 'unknown_setting', `There is no setting or section '${name}'.`, {
    hint: `Sections are ${[...sections].join(', ')}.`,
  });
}
