import type { ArtifactStorage } from '../../artifacts/artifact-storage.ts';
import { jobFolders } from '../../artifacts/job-folders.ts';
import type { DocumentJobInput } from '../../contract/document-job.ts';
import { emptyReport, type AttemptOutcome, type AttemptReport, type ClaimedJob } from '../../domain/job.ts';
import type { RunContext, Runner } from '../../domain/runner.ts';
import { AppError, toFailure } from '../../runtime/app-error.ts';
import { startDeadline } from '../../runtime/deadline.ts';
import { discardFolders } from '../discard-folders.ts';
import { giveBackFolders } from '../give-back-folders.ts';
import { convertFiles, joinFailures, type Converted } from './convert-files.ts';
import type { DocumentTool } from './document-tool.ts';
import { findFiles } from './find-files.ts';

export interface DocumentRunnerDeps<Input extends DocumentJobInput> {
  readonly tool: DocumentTool<Input>;
  /** The tool's name and version. */
  readonly toolName: string;
  readonly artifacts: ArtifactStorage;
  readonly dataDir: string;
}

/** Owns the tool. Carries out jobs that turn files into files, whichever tool does it: find them, convert each, keep what comes out. */
export function createDocumentRunner<Input extends DocumentJobInput>(
  deps: DocumentRunnerDeps<Input>,
): Runner {
  const { tool } = deps;
  return {
    type: tool.type,
    tool: deps.toolName,
    start: (signal) => tool.start(signal),
    async run(claimed, context) {
      const parsed = tool.inputSchema.safeParse(claimed.job.input);
      if (!parsed.success) throw invalidInput(claimed, parsed.error.message);
      const limitMs = parsed.data.timeoutMs ?? tool.timeoutMs;
      using limit = startDeadline(limitMs, () => timedOut(limitMs));
      const signal = AbortSignal.any([context.signal, limit.signal]);
      try {
        return await runAttempt(deps, { claimed, input: parsed.data }, { ...context, signal });
      } catch (error) {
        // What broke because it was told to stop is no fault of its own.
        throw signal.aborted ? signal.reason : error;
      }
    },
    giveBack: (job) => giveBackFolders(deps, job),
    discard: (job) => discardFolders(deps, job),
    [Symbol.asyncDispose]: () => tool[Symbol.asyncDispose](),
  };
}

interface Work<Input> {
  readonly claimed: ClaimedJob;
  readonly input: Input;
}

async function runAttempt<Input extends DocumentJobInput>(
  deps: DocumentRunnerDeps<Input>,
  { claimed, input }: Work<Input>,
  context: RunContext,
): Promise<AttemptOutcome> {
  const { tool, artifacts } = deps;
  const { job, lease } = claimed;
  const { signal } = context;
  const folders = jobFolders(deps.dataDir, job.id);
  const warnings: string[] = [];
  const warn = (message: string): void => {
    warnings.push(message);
    context.emit({ type: 'job.warning', message });
  };
  context.emit({ type: 'job.phase', phase: 'preparing' });
  let files: readonly string[];
  try {
    files = await findFiles(folders.source, { ...tool, files: input.files }, signal);
  } catch (error) {
    if (signal.aborted || !(error instanceof AppError) || error.kind !== 'user') throw error;
    return { kind: 'failed', failure: toFailure(error), report: emptyReport };
  }
  await using session = await tool.open({ input, lease, folders, signal, warn });
  context.emit({ type: 'job.phase', phase: 'converting' });
  const converted = await convertFiles({ jobId: job.id, files, session, artifacts, signal });
  const report = reportOf(files, converted, warnings);
  const [first, ...others] = converted.failures;
  if (first === undefined) return { kind: 'succeeded', report };
  return { kind: 'failed', failure: joinFailures([first, ...others]), report };
}

function reportOf(
  files: readonly string[],
  { artifacts, failures }: Converted,
  warnings: readonly string[],
): AttemptReport {
  const made = `${count(files.length - failures.length, 'file')} converted into ${String(artifacts.length)}.`;
  return { ...emptyReport, summary: made, warnings, artifacts };
}

function count(number: number, noun: string): string {
  return `${String(number)} ${noun}${number === 1 ? '' : 's'}`;
}

function timedOut(limitMs: number): AppError {
  return new AppError(
    'timeout',
    'job_timeout',
    `The job took longer than ${String(Math.round(limitMs / 1000))} s.`,
    {
      hint: 'Give it fewer files, or more time with `timeoutMs`.',
    },
  );
}

function invalidInput({ job }: ClaimedJob, message: string): AppError {
  return new AppError('user', 'invalid_input', `The input of job ${job.id} cannot be read: ${message}`, {
    hint: 'Submit the job again.',
  });
}
