import type { ArtifactStorage } from '../../artifacts/artifact-storage.ts';
import type { Failure, FailureKind } from '../../contract/failure.ts';
import type { Artifact } from '../../contract/job.ts';
import { AppError, toFailure } from '../../runtime/app-error.ts';
import { createArtifactNames } from './artifact-name.ts';
import type { DocumentSession } from './document-tool.ts';

export interface Converting {
  readonly jobId: string;
  readonly files: readonly string[];
  readonly session: DocumentSession;
  readonly artifacts: ArtifactStorage;
  readonly signal: AbortSignal;
}

export interface Converted {
  readonly artifacts: readonly Artifact[];
  /** What went wrong with files, in their order; the others were converted all the same. */
  readonly failures: readonly Failure[];
}

/** What a file itself is to blame for: another file may be converted all the same. */
const ownFaults: ReadonlySet<FailureKind> = new Set<FailureKind>(['user', 'timeout']);

/** Converts files one by one and stores what comes out. A file's own fault leaves the others alone; any other error ends the attempt, and `disk_full` takes along what it has stored. */
export async function convertFiles(work: Converting): Promise<Converted> {
  const nameOf = createArtifactNames();
  const made = new Set<string>();
  const artifacts: Artifact[] = [];
  const failures: Failure[] = [];
  for (const file of work.files) {
    work.signal.throwIfAborted();
    try {
      for (const { path, content } of await work.session.convert(file)) {
        if (made.has(path)) throw twice(file, path);
        made.add(path);
        const name = nameOf(path);
        const stored = await work.artifacts.put(work.jobId, name, content);
        artifacts.push(name === path ? stored : { ...stored, path });
      }
    } catch (error) {
      if (work.signal.aborted || !(error instanceof AppError)) throw error;
      // No report will name what there is so far, and it takes the room that another attempt needs.
      if (error.code === 'disk_full') await work.artifacts.remove(work.jobId);
      if (!ownFaults.has(error.kind)) throw error;
      failures.push(toFailure(error));
    }
  }
  return { artifacts, failures };
}

const shown = 5;

/** Several files' failures as the job's one: the first says what to do. */
export function joinFailures(failures: readonly [Failure, ...Failure[]]): Failure {
  const [first, ...others] = failures;
  if (others.length === 0) return first;
  const named = failures.slice(0, shown).map(({ message }) => message);
  const more = failures.length > shown ? [`and ${String(failures.length - shown)} more.`] : [];
  return {
    ...first,
    message: [`${String(failures.length)} files could not be converted.`, ...named, ...more].join('\n'),
  };
}

function twice(file: string, path: string): AppError {
  return new AppError('user', 'duplicate_output', `${file} makes ${path}, which another file has made.`, {
    hint: 'Give one of the two another name.',
  });
}
