import { taskStateSchema, type BuildEvent } from '../../contract/build-event.ts';
import type { Colors } from '../colors.ts';
import type { Terminal } from '../context.ts';
import { startLiveLine, type LiveLine, type LiveSpace } from '../live-line.ts';
import { formatDuration } from '../render-job.ts';
import { oneLine } from '../safe-text.ts';
import type { BuildView, BuildViewOptions } from './build-view.ts';
import { describeType } from './describe-type.ts';
import { describeCounts, renderLines } from './render-lines.ts';

type Started = BuildEvent & { readonly type: 'build.started' };
type TaskFinished = BuildEvent & { readonly type: 'task.finished' };
type Progress = BuildEvent & { readonly type: 'build.progress' };

/** More lines that move tell nobody anything. */
const shownJobs = 12;

interface LiveJob {
  readonly id: string;
  readonly tasks: number;
  readonly needs: readonly string[];
  /** By state, how many of its tasks have ended. */
  readonly counts: Map<string, number>;
}

/**
 * A line for each job of the manifest while it is made, so many as there is room for, and one for the workers; above them stays what has ended:
 * a line for each job, and at once what failed.
 */
export function renderLive(out: Terminal, colors: Colors, options: BuildViewOptions): BuildView {
  let jobs: readonly LiveJob[] = [];
  let progress: Progress | null = null;
  let live: LiveLine | null = null;
  let stopping = false;
  const beganMs = performance.now();
  const say = (line: string): void => {
    if (live === null) out.write(`${line}\n`);
    else live.print(line);
  };
  const lines = renderLines({ write: (text) => say(text.replace(/\n$/, '')) }, colors, options);

  const isOver = (job: LiveJob): boolean => endedOf(job) >= job.tasks;
  const waitsFor = (job: LiveJob): readonly string[] =>
    job.needs.filter((need) => jobs.some((each) => each.id === need && !isOver(each)));

  function moving({ width, height, mark }: LiveSpace): readonly string[] {
    const open = jobs.filter((job) => !isOver(job));
    const waiting = open.filter((job) => waitsFor(job).length > 0);
    const active = open.filter((job) => !waiting.includes(job));
    const types = (progress?.types ?? []).filter(
      ({ activeWorkers, queueDepth }) => activeWorkers + queueDepth > 0,
    );
    const done = jobs.reduce((sum, job) => sum + endedOf(job), 0);
    const all = jobs.reduce((sum, job) => sum + job.tasks, 0);
    const time = formatDuration(performance.now() - beganMs);
    const total = `${stopping ? 'stopping · ' : ''}${String(done)}/${String(all)} in ${time}`;
    const foot = [
      ...(waiting.length === 0 ? [] : [`waiting for others: ${waiting.map(({ id }) => id).join(', ')}`]),
      ...inRows([total, ...types.map(describeType)], width - 2),
    ].slice(-Math.max(1, height - 1));
    const room = Math.min(shownJobs, Math.max(0, height - foot.length));
    const shown = active.length <= room ? active : active.slice(0, Math.max(0, room - 1));
    const more = active.length - shown.length;
    return [
      ...shown.map((job) => `${mark} ${describeJob(job, width)}`),
      ...(more > 0 && room > 0 ? [`  … and ${String(more)} more`] : []),
      ...foot.map((line) => colors.dim(`  ${oneLine(line, width - 2)}`)),
    ];
  }

  function describeJob(job: LiveJob, width: number): string {
    const failed = (job.counts.get('failed') ?? 0) + (job.counts.get('skipped') ?? 0);
    const count = `${String(endedOf(job))}/${String(job.tasks)}`;
    const said = failed > 0 ? ` ${String(failed)} failed` : '';
    return `${oneLine(job.id, width - count.length - said.length - 3)} ${colors.dim(count)}${colors.red(said)}`;
  }

  function start(event: Started): void {
    lines.onEvent(event);
    jobs = event.jobs.map((job) => ({ ...job, counts: new Map() }));
    if (event.affected > 0) live = startLiveLine(out, true, moving);
  }

  function onTask(event: TaskFinished): void {
    const job = jobs.find(({ id }) => id === event.job);
    if (job === undefined) return;
    job.counts.set(event.state, (job.counts.get(event.state) ?? 0) + 1);
    const alone = job.tasks === 1 && event.state !== 'cancelled';
    if (options.explain || alone || event.failure !== undefined || event.warnings.length > 0)
      lines.onEvent(event);
    else lines.note(event);
    if (isOver(job) && job.tasks > 1) sayEnd(job);
  }

  /** What was there already is no news, nor what went with the whole build. */
  function sayEnd({ id, counts }: LiveJob): void {
    if ([...counts.keys()].every((state) => state === 'cached' || state === 'cancelled')) return;
    const bad = ['failed', 'skipped', 'cancelled'].find((state) => counts.has(state));
    const mark =
      bad === undefined ? colors.green('✓') : bad === 'failed' ? colors.red('✗') : colors.yellow('-');
    say(
      `${mark} ${id} ${colors.dim(describeCounts(Object.fromEntries(taskStateSchema.options.map((state) => [state, counts.get(state) ?? 0]))))}`,
    );
  }

  function stop(): void {
    live?.[Symbol.dispose]();
    live = null;
  }

  return {
    onEvent(event) {
      switch (event.type) {
        case 'build.started':
          start(event);
          return;
        case 'build.progress':
          progress = event;
          return;
        case 'task.finished':
          onTask(event);
          return;
        case 'build.finished':
          stop();
          lines.onEvent(event);
          return;
        default:
          lines.onEvent(event);
      }
    },
    onInterrupted() {
      stopping = true;
      lines.onInterrupted();
    },
    [Symbol.asyncDispose]: () => {
      stop();
      return Promise.resolve();
    },
  };
}

function endedOf({ counts }: LiveJob): number {
  return [...counts.values()].reduce((sum, count) => sum + count, 0);
}

/** Parts side by side, in as many rows as they need. */
function inRows(parts: readonly string[], width: number): readonly string[] {
  const rows: string[] = [];
  for (const part of parts) {
    const last = rows.at(-1);
    const joined = `${last ?? ''} · ${part}`;
    if (last !== undefined && joined.length <= width) rows[rows.length - 1] = joined;
    else rows.push(part);
  }
  return rows;
}
