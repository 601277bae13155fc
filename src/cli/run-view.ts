import type { JobEvent } from '../contract/event.ts';
import { agentTalk } from './agent-talk.ts';
import { colorsFor, type Colors } from './colors.ts';
import { columnsOf, type CliContext } from './context.ts';
import { startLiveLine } from './live-line.ts';
import { printJson } from './print-json.ts';
import { phaseWords, renderEvent } from './render-event.ts';
import { formatElapsed } from './render-job.ts';
import { shownCommand } from './shown-command.ts';
import { lastWords, oneLine, safeText } from './safe-text.ts';

const maxMessageLines = 40;
const pipedWidth = 160;
/** As much of what the agent is saying as could ever be shown. */
const maxHeardChars = 4_000;

/** What a person, or a program, sees of a job while it runs. */
export interface RunView extends Disposable {
  readonly event: (event: JobEvent) => void;
  readonly note: (text: string) => void;
}

/** With `--json` every event is data and goes to stdout; else it is talk, on stderr, with a line that moves at its end in a terminal. */
export function openRunView(context: CliContext, { json }: { readonly json: boolean }): RunView {
  if (json) {
    return {
      event: (event) => {
        printJson(context.stdout, event);
      },
      note: (text) => void context.stderr.write(`${text}\n`),
      [Symbol.dispose]: () => undefined,
    };
  }
  const { stderr, env } = context;
  const colors = colorsFor(stderr, env);
  const began = performance.now();
  const progress = new Progress();
  const moves = stderr.isTTY === true && env['TERM'] !== 'dumb' && (env['CI'] ?? '') === '';
  const live = startLiveLine(stderr, moves, ({ width }) => {
    const elapsed = formatElapsed(performance.now() - began);
    return `${colors.dim(elapsed)} ${progress.now(width - elapsed.length - 1)}`;
  });
  return {
    event: (event) => {
      progress.take(event);
      for (const line of renderLines(event, colors, columnsOf(stderr, pipedWidth))) live.print(line);
    },
    note: (text) => {
      live.print(colors.dim(safeText(text)));
    },
    [Symbol.dispose]: () => {
      live[Symbol.dispose]();
    },
  };
}

/** What is being done right now, in a few words. */
class Progress {
  #phase = 'getting ready';
  #heard: { readonly itemId: string; readonly text: string } | null = null;
  #command: string | null = null;

  now(width: number): string {
    if (this.#heard !== null) return lastWords(this.#heard.text, width);
    return oneLine(this.#command === null ? this.#phase : `$ ${shownCommand(this.#command)}`, width);
  }

  take(event: JobEvent): void {
    if (event.type === 'agent.message.delta') {
      const before = this.#heard?.itemId === event.itemId ? this.#heard.text : '';
      this.#heard = { itemId: event.itemId, text: (before + event.delta).slice(-maxHeardChars) };
      return;
    }
    if (event.type === 'agent.message') this.#heard = null;
    if (event.type === 'agent.command') this.#command = event.status === 'running' ? event.command : null;
    const phase = phaseOf(event);
    if (phase !== null) {
      this.#phase = phase;
      this.#command = null;
      this.#heard = null;
    }
  }
}

function phaseOf(event: JobEvent): string | null {
  switch (event.type) {
    case 'job.accepted':
      return 'waiting for a worker';
    case 'job.phase':
      return phaseWords[event.phase];
    case 'job.requeued':
      return 'waiting for a worker';
    case 'job.parked':
      return `parked until ${event.until}`;
    case 'job.cancel_requested':
      return 'stopping';
    default:
      return null;
  }
}

/** A message of the agent whole, line by line; anything else in one line. */
function renderLines(event: JobEvent, colors: Colors, width: number): readonly string[] {
  if (event.type !== 'agent.message') {
    const line = renderEvent(event, colors, width);
    return line === null ? [] : [line];
  }
  const talk = safeText(agentTalk(event.text)).trim();
  if (talk === '') return [];
  const all = talk.split('\n');
  const lines = all
    .slice(0, maxMessageLines)
    .map((line, at) => `${at === 0 ? colors.cyan('›') : ' '} ${line}`);
  if (all.length > maxMessageLines)
    lines.push(colors.dim(`  … ${all.length - maxMessageLines} more lines in the transcript`));
  return lines;
}
