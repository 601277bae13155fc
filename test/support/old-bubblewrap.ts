import { chmod, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { vendoredBinary } from '../../src/codex/vendored-binary.ts';

/** Codex's own bubblewrap without what came with 0.9: `--argv0`. */
const script = (own: string): string => `#!/bin/sh
for word; do
  [ "$word" = --argv0 ] && { echo 'bwrap: Unknown option --argv0' >&2; exit 1; }
  [ "$word" = -- ] && break
done
[ "$1" = --help ] && { '${own}' --help | grep -v -e --argv0; exit; }
exec '${own}' "$@"
`;

/** Makes a folder with a `bwrap` like that of Debian 12, which Codex would take before its own where it comes on PATH. */
export async function oldBubblewrap(folder: string): Promise<void> {
  const codex = vendoredBinary(import.meta.filename);
  if (codex === null) throw new Error('the pinned @openai/codex is not installed');
  const file = path.join(folder, 'bwrap');
  await mkdir(folder, { recursive: true });
  await writeFile(file, script(path.join(path.dirname(codex), '../codex-resources/bwrap')));
  await chmod(file, 0o755);
}
