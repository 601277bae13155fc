import { z } from 'zod';
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

/** Left as it is written. */
const same = (text: string): string => text;

export interface JobExtras {
  /** Spells the commands of a hint as the reader types them. */
  readonly spell?: (text: string) => string;
  /** What is later than this is still to come; epoch milliseconds. */
  readonly nowMs?: number;
  /** Of a job that has not ended: its newest event, in words. */
  readonly lastEvent?: string | null;
  /** Of a job that runs: what it does. */
  readonly phase?: string | null;
  /** The text of the patch; null where there is none. */
  readonly patch: string | null;
  /** Where the artifacts lie, or how to reach them. */
  readonly artifactsAt: string;
}

/** All that a person wants to know of a job, in lines. */
export function renderJob(job: JobView, extras: JobExtras, colors: Colors): readonly string[] {
  const label = (text: string): string => colors.dim(text.padEnd(10));
  const lines = [
    `${label('job')}${job.id}`,
    `${label('state')}${renderState(job.state, colors)}${attempts(job)}`,
  ];
  lines.push(...aboutInput(job, label));
  if (job.finishedAt === null) {
    if (job.state !== 'running' && job.runAt !== null && Date.parse(job.runAt) > (extras.nowMs ?? 0))
      lines.push(`${label('waits')}until ${job.runAt}`);
    const phase = extras.phase ?? null;
    if (job.state === 'running')
      lines.push(
        `${label('attempt')}${job.attempt} of ${job.maxAttempts}, worker ${job.workerId ?? 'unknown'}${phase === null ? '' : `, ${phase}`}`,
      );
    const last = extras.lastEvent ?? null;
    if (last !== null) lines.push(`${label('last')}${last}`);
  }
  if (job.failure !== undefined) {
    const [why = '', ...more] = safeText(job.failure.message).split('\n');
    lines.push(`${label('why')}${why} ${colors.dim(`(${job.failure.kind}: ${job.failure.code})`)}`);
    if (job.failure.hint !== '')
      lines.push(`${label('next')}${(extras.spell ?? same)(safeText(job.failure.hint))}`);
    // A traceback, for instance: it is not to part the cause from the next step.
    lines.push(...more.map((line) => `${label('')}${colors.dim(line)}`));
  }
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

/** What was asked for: the prompt, and the folder or file. */
function aboutInput({ input }: JobView, label: (text: string) => string): readonly string[] {
  const asked = askedSchema.safeParse(input);
  if (!asked.success) return [];
  const { prompt, source } = asked.data;
  const place = source?.dir ?? source?.file;
  return [
    ...(prompt === undefined ? [] : [`${label('prompt')}${oneLine(prompt, 400)}`]),
    ...(place === undefined ? [] : [`${label('folder')}${oneLine(place, 400)}`]),
  ];
}

const askedSchema = z.object({
  prompt: z.string().optional(),
  source: z.object({ dir: z.string().optional(), file: z.string().optional() }).optional(),
});

/** Whole seconds, for what is counted while one looks. */
export function formatElapsed(ms: number): string {
  return ms < 60_000 ? `${Math.floor(ms / 1000)} s` : formatDuration(Math.floor(ms / 1000) * 1000);
}

/** `1 file`, `3 files`. */
export function countOf(count: number, noun: string, plural = `${noun}s`): string {
  return `${count} ${count === 1 ? noun : plural}`;
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
  const all = readableLines(safeText(patch).trimEnd().split('\n'));
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

/** Without what says nothing to people: the ids of git's objects, and the bytes of binary files. */
function readableLines(lines: readonly string[]): readonly string[] {
  const shown: string[] = [];
  let binary = false;
  for (const line of lines) {
    if (line.startsWith('diff --git ')) binary = false;
    if (binary || /^index [0-9a-f]+\.\.[0-9a-f]+/.test(line)) continue;
    binary = line === 'GIT binary patch';
    shown.push(binary ? '(a binary file)' : line);
  }
  return shown;
}
