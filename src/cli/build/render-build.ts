import { colorsFor } from '../colors.ts';
import type { CliContext } from '../context.ts';
import { printJson } from '../print-json.ts';
import { spellCommand } from '../spell-command.ts';
import type { BuildView, BuildViewOptions } from './build-view.ts';
import { renderLines } from './render-lines.ts';
import { renderLive } from './render-live.ts';

/** How a build is told: events as JSON on stdout, or to a person on stderr, live where it is a terminal. */
export function renderBuild(
  context: CliContext,
  { output, explain }: Omit<BuildViewOptions, 'spell'>,
): BuildView {
  if (output === 'json') {
    return {
      onEvent: (event) => {
        printJson(context.stdout, event);
      },
      onInterrupted: () => undefined,
      [Symbol.asyncDispose]: () => Promise.resolve(),
    };
  }
  const colors = colorsFor(context.stderr, context.env);
  const spell = (text: string): string => spellCommand(text, context.env);
  const options = { output, explain, spell };
  return output === 'default' && context.stderr.isTTY === true
    ? renderLive(context.stderr, colors, options)
    : renderLines(context.stderr, colors, options);
}
