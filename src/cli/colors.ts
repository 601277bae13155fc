import pc from 'picocolors';
import type { CliContext, Terminal } from './context.ts';

export type Colors = ReturnType<typeof pc.createColors>;

/** Colours where a terminal shows them and nobody asked for none (https://no-color.org). */
export function colorsFor(terminal: Terminal, env: CliContext['env']): Colors {
  const forced = env['FORCE_COLOR'] !== undefined && env['FORCE_COLOR'] !== '0';
  const refused = (env['NO_COLOR'] ?? '') !== '' || env['TERM'] === 'dumb';
  return pc.createColors(forced || (terminal.isTTY === true && !refused));
}
