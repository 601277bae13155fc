import type { BuildEvent } from '../../contract/build-event.ts';
import type { Colors } from '../colors.ts';
import { formatDuration } from '../render-job.ts';
import { oneLine, safeText } from '../safe-text.ts';
import { describeType } from './describe-type.ts';
import type { BuildView, BuildViewOptions } from './build-view.ts';

type TaskFinished = BuildEvent & { readonly type: 'task.finished' };
const width = 400;
/** In a log file, progress comes this seldom. */
const progressEvery = 20;
const shownFailures = 20;
const shownLines = 12;

/** Lines for a person or a log. Quiet says failures alone. */
export function renderLines(
  out: { readonly write: (text: string) => unknown },
  colors: Colors,
  { output, explain, spell }: BuildViewOptions,
): BuildView & {
  /** Keeps what is to be said of it at the end, and says nothing now. */
  note(event: TaskFinished): void;
} {
  const failures: TaskFinished[] = [];
  const quiet = output === 'quiet';
  const verbose = output === 'verbose';
  let ticks = 0;
  const write = (line: string): void => {
    out.write(`${line}\n`);
  };
  const say = (line: string): void => {
    if (!quiet) write(line);
  };

  function note(event: TaskFinished): void {
    if (event.failure !== undefined || event.state === 'skipped') failures.push(event);
  }

  function onTask(event: TaskFinished): void {
    const { state, task, why, failure } = event;
    note(event);
    const mark = marks(colors)[state];
    const time = event.durationMs === null ? '' : colors.dim(` ${formatDuration(event.durationMs)}`);
    const reason = explain || state === 'skipped' ? colors.dim(`  ${why}`) : '';
    if (state === 'cached' && !explain && !verbose) return;
    const said = failure === undefined ? '' : `  ${oneLine(failure.message.split('\n', 1)[0] ?? '', width)}`;
    say(`${mark} ${oneLine(task, width)} ${colors.dim(state)}${time}${said}${reason}`);
    for (const warning of event.warnings) say(`${colors.yellow('!')} ${oneLine(warning, width)}`);
  }

  return {
    note,
    onInterrupted: () => {
      write('Stopping: what is under way is ended. Once more ends at once.');
    },
    onEvent(event) {
      switch (event.type) {
        case 'build.started':
          say(
            event.affected === 0
              ? `${event.name}: all ${event.tasks} up to date`
              : `${event.name}: ${event.affected} of ${event.tasks} to make`,
          );
          return;
        case 'build.warning':
          write(`${colors.yellow('!')} ${event.message}`);
          return;
        case 'workers.used':
          say(colors.dim(`· ${describeWorkers(event)}${explain || verbose ? ` (${event.source})` : ''}`));
          return;
        case 'task.queued':
          if (verbose) say(colors.dim(`· ${oneLine(event.task, width)} is job ${event.jobId}: ${event.why}`));
          return;
        case 'task.finished':
          onTask(event);
          return;
        case 'build.progress':
          ticks += 1;
          if (verbose || ticks % progressEvery === 0)
            say(colors.dim(`· ${event.done}/${event.tasks} · ${event.types.map(describeType).join(' · ')}`));
          return;
        case 'build.finished':
          if (failures.length > 0)
            write(spell([...(quiet ? [] : ['']), ...summary(failures, colors)].join('\n')));
          say(
            `${event.ok ? colors.green('✓') : colors.red('✗')} ${describeCounts(event.counts)} in ${formatDuration(event.durationMs)} → ${event.output}`,
          );
      }
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

function describeWorkers({
  workerType,
  mode,
  reused,
  started,
}: BuildEvent & { readonly type: 'workers.used' }): string {
  const count = (number: number, kind: string): string =>
    `${number} ${kind} ${workerType} ${number === 1 ? 'worker' : 'workers'}`;
  const parts = [
    ...(reused > 0 ? [`uses ${count(reused, 'running')}`] : []),
    ...(started > 0 ? [`started ${count(started, mode)}`] : []),
  ];
  return parts.length === 0 ? `uses the ${workerType} workers that run` : parts.join(', ');
}

export function describeCounts(counts: Readonly<Record<string, number>>): string {
  const parts = Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([state, count]) => `${count} ${state}`);
  return parts.length === 0 ? 'nothing to do' : parts.join(', ');
}

function marks(colors: Colors): Readonly<Record<TaskFinished['state'], string>> {
  return {
    cached: colors.dim('='),
    restored: colors.green('↩'),
    built: colors.green('✓'),
    failed: colors.red('✗'),
    skipped: colors.yellow('-'),
    cancelled: colors.yellow('!'),
  };
}

/** The first failures with their causes and the next step, and what was skipped by them. */
function summary(events: readonly TaskFinished[], colors: Colors): readonly string[] {
  const failures = events.filter(({ failure }) => failure !== undefined);
  const shown = failures.slice(0, shownFailures).flatMap((event) => describeFailure(event, colors));
  const more = failures.length - shownFailures;
  const skipped = new Map<string, number>();
  for (const { job, why, state } of events) {
    const said = `${job}: ${why}`;
    if (state === 'skipped') skipped.set(said, (skipped.get(said) ?? 0) + 1);
  }
  return [
    ...shown,
    ...(more > 0
      ? [`${colors.red('failed')} and ${String(more)} more; see: capstan jobs list --state failed`]
      : []),
    ...[...skipped].map(
      ([said, count]) => `${colors.yellow('skipped')} ${said}${count > 1 ? ` (${String(count)} tasks)` : ''}`,
    ),
  ];
}

function describeFailure({ task, failure, jobId }: TaskFinished, colors: Colors): readonly string[] {
  if (failure === undefined) return [];
  const [first = '', ...more] = failure.message.split('\n');
  const lines = [
    `${colors.red('failed')} ${task}: ${oneLine(first, 2_000)} ${colors.dim(`(${failure.kind}: ${failure.code})`)}`,
  ];
  if (failure.hint !== '') lines.push(`${colors.cyan('  next:')} ${oneLine(failure.hint, 1_000)}`);
  // A traceback says most at its end.
  const shown = more.filter((line) => line.trim() !== '').slice(-shownLines);
  lines.push(...shown.map((line) => colors.dim(`    ${cutLine(line)}`)));
  if (jobId !== null) lines.push(colors.dim(`  log:  capstan jobs logs ${jobId}`));
  return lines;
}

/** With its indentation, which means something in code. */
function cutLine(line: string): string {
  return safeText(line).slice(0, 200);
}
