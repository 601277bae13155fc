import { join } from 'node:path';
import { AppError } from '../../runtime/app-error.ts';
import { holdFile } from '../../store/sqlite/hold-file.ts';

/** Makes this process the one server of a data folder until disposed, also across a SIGKILL. Throws `already_served` (kind `configuration`). */
export function holdDataFolder(dataDir: string): Disposable {
  const held = holdFile(join(dataDir, 'serve.lock'));
  if (held !== null) return held;
  throw new AppError('configuration', 'already_served', `Another \`capstan serve\` is serving ${dataDir}.`, {
    hint: 'Use that one, or choose another data folder with CAPSTAN_DATA or --db-path.',
  });
}
