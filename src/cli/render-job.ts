import type { FileChange, JobState, JobView } from '../contract/job.ts';
import type { Colors } from './colors.ts';
import { oneLine, safeText } from './safe-text.ts';

const maxPatchLines = 200;
const outputTailLines = 12;

export function renderState(state: JobState, colors: Colors): string {
  const paint = {
    queued: colors.dim,
    running: colors.cyan,
    parked: colors.yellow,
    succeeded: colors.green,
    failed: colors.red,
    cancelled: colors.yellow,
  };
  return paint[state](state);
}

export interface JobExtras {
  /** The text of the patch; null where there is none. */
  readonly patch: string | null;
  /** Where the artifacts lie, or how to reach them. */
  readonly artifactsAt: string;
}

/** All that a person wants to know of a job that ended, in lines. */
export function renderJob(job: JobView, extras: JobExtras, colors: Colors): readonly string[] {
  const label = (text: string): string => colors.dim(text.padEnd(10));
  const lines = [
    `${label('job')}${job.id}`,
    `${label('state')}${renderState(job.state, colors)}${attempts(job)}`,
  ];
  if (job.failure !== undefined)
    lines.push(
      `${label('why')}${safeText(job.failure.message)} ${colors.dim(`(${job.failure.kind}: ${job.failure.code})`)}`,
    );
  if (job.failure !== undefined && job.failure.hint !== '')
    lines.push(`${label('next')}${safeText(job.failure.hint)}`);
  if (job.summary !== null) lines.push(`${label('summary')}${oneLine(job.summary, 400)}`);
  for (const check of job.checks) {
    lines.push(
      `${label('check')}${check.passed ? colors.green('passed') : colors.red('failed')}  ${oneLine(check.command, 100)}`,
    );
    if (!check.passed) lines.push(...tail(check.output).map((text) => `${label('')}${colors.dim(text)}`));
  }
  for (const warning of job.warnings)
    lines.push(`${label('warning')}${colors.yellow(oneLine(warning, 300))}`);
  // What only an agent does.
  if (job.agent !== null || job.filesChanged.length > 0) {
    lines.push(
      `${label('changed')}${job.filesChanged.length === 0 ? 'nothing' : ''}${job.filesChanged.map((file) => renderChange(file, colors)).join(', ')}`,
    );
    const { inputTokens, cachedInputTokens, outputTokens } = job.usage;
    lines.push(`${label('tokens')}${inputTokens} in (${cachedInputTokens} cached), ${outputTokens} out`);
  }
  lines.push(`${label('time')}${formatDuration(job.durationMs)}`);
  if (job.agent !== null)
    lines.push(
      `${label('agent')}${job.agent.name} ${job.agent.version}, ${job.agent.model}${job.resumed ? ', resumed' : ''}`,
    );
  if (job.artifacts.length > 0) {
    lines.push(
      `${label('artifacts')}${extras.artifactsAt}`,
      `${label('')}${job.artifacts.map(({ name }) => name).join(', ')}`,
    );
  }
  if (extras.patch !== null && extras.patch !== '') lines.push('', ...renderPatch(extras.patch, colors));
  return lines;
}

/** Whole seconds, for what is counted while one looks. */
export function formatElapsed(ms: number): string {
  return ms < 60_000 ? `${Math.floor(ms / 1000)} s` : formatDuration(Math.floor(ms / 1000) * 1000);
}

/** `1 file`, `3 files`. */
export function countOf(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

export function formatDuration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  const minutes = Math.floor(ms / 60_000);
  return minutes < 60
    ? `${minutes} min ${Math.round((ms % 60_000) / 1000)} s`
    : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

function attempts({ attempt }: JobView): string {
  return attempt > 1 ? ` after ${attempt} attempts` : '';
}

function renderChange({ path, change }: FileChange, colors: Colors): string {
  const mark = { created: colors.green('+'), modified: colors.yellow('~'), deleted: colors.red('-') }[change];
  return `${mark} ${oneLine(path, 120)}`;
}

function tail(output: string): readonly string[] {
  return safeText(output).trimEnd().split('\n').slice(-outputTailLines);
}

function renderPatch(patch: string, colors: Colors): readonly string[] {
  // The ids of git's objects say nothing to people.
  const all = safeText(patch)
    .trimEnd()
    .split('\n')
    .filter((line) => !/^index [0-9a-f]+\.\.[0-9a-f]+/.test(line));
  const lines = all.slice(0, maxPatchLines).map((line) => {
    if (/^(diff --git|new file|deleted file|old mode|new mode|---|\+\+\+)/.test(line))
      return colors.bold(line);
    if (line.startsWith('@@')) return colors.cyan(line);
    if (line.startsWith('+')) return colors.green(line);
    if (line.startsWith('-')) return colors.red(line);
    return line;
  });
  if (all.length > maxPatchLines)
    lines.push(colors.dim(`… ${all.length - maxPatchLines} more lines in changes.patch`));
  return lines;
}
