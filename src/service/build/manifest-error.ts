import { AppError } from '../../runtime/app-error.ts';

/** Something wrong at a place of the manifest. */
export interface ManifestProblem {
  /** From 1; null where it is about the whole file. */
  readonly at: { readonly line: number; readonly column: number } | null;
  readonly message: string;
}

/** All that is wrong, each with its file, line and column as editors read them. */
export function manifestError(file: string, problems: readonly ManifestProblem[]): AppError {
  const lines = problems.map(({ at, message }) =>
    at === null ? `${file}: ${message}` : `${file}:${at.line}:${at.column}: ${message}`,
  );
  return new AppError('user', 'invalid_manifest', lines.join('\n'), {
    hint: 'Correct the manifest; nothing was built.',
    details: { problems },
  });
}
