import type { BuildEvent } from '../../contract/build-event.ts';
import type { Colors } from '../colors.ts';
import type { Terminal } from '../context.ts';
import { formatDuration } from '../render-job.ts';
import { oneLine } from '../safe-text.ts';
import { describeType } from './describe-type.ts';
import type { BuildView, BuildViewOptions } from './build-view.ts';

type TaskFinished = BuildEvent & { readonly type: 'task.finished' };
const width = 400;
/** In a log file, progress comes this seldom. */
const progressEvery = 20;

/** Lines for a person or a log. Quiet says failures alone. */
export function renderLines(
  out: Terminal,
  colors: Colors,
  { output, explain }: BuildViewOptions,
): BuildView & { readonly write: (line: string) => void } {
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

  function onTask(event: TaskFinished): void {
    const { state, task, why, failure } = event;
    if (failure !== undefined || state === 'skipped') failures.push(event);
    const mark = marks(colors)[state];
    const time = event.durationMs === null ? '' : colors.dim(` ${formatDuration(event.durationMs)}`);
    const reason = explain || state === 'skipped' ? colors.dim(`  ${why}`) : '';
    if (state === 'cached' && !explain && !verbose) return;
    const said = failure === undefined ? '' : `  ${oneLine(failure.message, width)}`;
    say(`${mark} ${oneLine(task, width)} ${colors.dim(state)}${time}${said}${reason}`);
    for (const warning of event.warnings) say(`${colors.yellow('!')} ${oneLine(warning, width)}`);
  }

  return {
    write,
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
          if (failures.length > 0) write(['', ...summary(failures, colors)].join('\n'));
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

function describeCounts(counts: Readonly<Record<string, number>>): string {
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

/** Every failure with its cause and the next step. */
function summary(failures: readonly TaskFinished[], colors: Colors): readonly string[] {
  return failures.flatMap(({ task, why, failure, jobId }) => {
    if (failure === undefined) return [`${colors.yellow('skipped')} ${task}: ${why}`];
    const lines = [
      `${colors.red('failed')} ${task}: ${oneLine(failure.message, 2_000)} ${colors.dim(`(${failure.kind}: ${failure.code})`)}`,
    ];
    if (failure.hint !== '') lines.push(`${colors.cyan('  next:')} ${oneLine(failure.hint, 1_000)}`);
    if (jobId !== null) lines.push(colors.dim(`  log:  capstan jobs logs ${jobId}`));
    return lines;
  });
}
