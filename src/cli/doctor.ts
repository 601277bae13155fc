import { z } from 'zod';
import type { Check } from '../codex/check.ts';
import { loadProfile } from '../config/load-profile.ts';
import { createContainers } from '../service/fleet/containers.ts';
import { examine } from '../service/doctor/doctor.ts';
import { colorsFor } from './colors.ts';
import type { Action, CliCommand } from './command.ts';
import { exitCodes } from './context.ts';
import { loadCliConfig } from './open.ts';
import { spellCommand } from './spell-command.ts';
import { printJson } from './print-json.ts';

export const doctorCommand: CliCommand = {
  define(command, act) {
    command.option('--json', 'JSON instead of text').action(act(report));
  },
};

/** Exit 0 where jobs can run, 1 where something they need is missing. */
const report: Action = async (context, _args, raw) => {
  const { json } = z.object({ json: z.boolean().default(false) }).parse(raw);
  const { config, read } = loadCliConfig(context, raw);
  const profile = loadProfile(read.environment);
  const checks = await examine(
    {
      config,
      profile,
      commandPath: context.env['PATH'] ?? '',
      containers: createContainers(context.env),
    },
    context.interrupted,
  );
  const ok = checks.every((check) => check.ok || !check.required);
  if (json) printJson(context.stdout, { ok, checks });
  else {
    const colors = colorsFor(context.stdout, context.env);
    for (const check of checks) {
      const mark = check.ok ? colors.green('✓') : check.required ? colors.red('✗') : colors.yellow('!');
      context.stdout.write(`${mark} ${check.name.padEnd(16)} ${check.detail}\n`);
      if (!check.ok && check.hint !== undefined)
        context.stdout.write(
          `${' '.repeat(19)}${colors.cyan('next:')} ${spellCommand(check.hint, context.env)}\n`,
        );
    }
    context.stdout.write(`${verdict(checks)}\n`);
  }
  return ok ? exitCodes.ok : exitCodes.failed;
};

/** The last line names what is not fine, also where jobs can run. */
function verdict(checks: readonly Check[]): string {
  const named = (wanted: readonly Check[]): string => wanted.map(({ name }) => name).join(', ');
  const missing = checks.filter(({ ok, required }) => !ok && required);
  const doubtful = checks.filter(({ ok, required }) => !ok && !required);
  const also = doubtful.length === 0 ? '' : ` Not fine: ${named(doubtful)}.`;
  if (missing.length === 0)
    return doubtful.length === 0 ? 'All that jobs need is there.' : `Jobs can run.${also}`;
  const [type] = new Set(missing.map(({ of }) => of));
  const alone = type !== undefined && missing.every(({ of }) => of === type);
  return alone
    ? `${type} jobs cannot run yet: ${named(missing)}. Other jobs can.${also}`
    : `Jobs cannot run yet: ${named(missing)}.${also}`;
}
