import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import type { CodexJobInput } from '../../contract/codex-job.ts';
import { hasErrno } from '../../runtime/app-error.ts';
import type { CodexRunnerDeps } from './deps.ts';

/** What no command of this job may read: also the places of the files that its copy was not given. A file's links are followed; one that is not there is left out. */
export async function deniedPaths(
  deps: Pick<CodexRunnerDeps, 'deniedPaths' | 'keyFiles'>,
  { source }: Pick<CodexJobInput, 'source'>,
): Promise<readonly string[]> {
  const paths = [...deps.keyFiles, ...withheldFrom(source).map(({ at }) => at)];
  const found = await Promise.all(
    paths.map((path) =>
      realpath(path).catch((error: unknown) => {
        if (hasErrno(error, 'ENOENT', 'ENOTDIR', 'EACCES', 'ELOOP')) return null;
        throw error;
      }),
    ),
  );
  return [...deps.deniedPaths, ...found.filter((path) => path !== null)];
}

/** What the agent's copy lacks, in words; null where it lacks nothing. */
export function sayWithheld({ source }: Pick<CodexJobInput, 'source'>): string | null {
  const names = withheldFrom(source).map(({ path }) => path);
  if (names.length === 0) return null;
  return `Left out of the agent's copy, because it holds the provider's key: ${names.join(', ')}.`;
}

function withheldFrom(
  source: CodexJobInput['source'],
): readonly { readonly path: string; readonly at: string }[] {
  if (!('dir' in source)) return [];
  return (source.withheld ?? []).map((path) => ({ path, at: join(source.dir, path) }));
}
