import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { cacheRoot, runFolderPrefix } from './test-run.ts';

export interface TempDir extends AsyncDisposable {
  /** Absolute. */
  readonly path: string;
  /** A path inside it. */
  readonly join: (...parts: string[]) => string;
}

/**
 * A fresh folder, removed with all in it when disposed: `await using dir = await tempDir()`.
 * @param where `cache`: in the checkout, for a CODEX_HOME; Codex refuses its helpers where that lies under the temporary folder
 */
export async function tempDir(where: 'temp' | 'cache' = 'temp'): Promise<TempDir> {
  const root = where === 'cache' ? cacheRoot : tmpdir();
  await mkdir(root, { recursive: true });
  const dir = await mkdtemp(path.join(root, runFolderPrefix()));
  return {
    path: dir,
    join: (...parts) => path.join(dir, ...parts),
    async [Symbol.asyncDispose]() {
      await rm(dir, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}
