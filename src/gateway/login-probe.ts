import { stat } from 'node:fs/promises';
import path from 'node:path';
import { checkModel } from '../codex/check-model.ts';
import type { Upstream } from '../codex/model-proxy/upstream.ts';
import { hasErrno } from '../runtime/app-error.ts';

export interface LoginProbeOptions {
  /** Null: the login is kept in CODEX_HOME. */
  readonly upstream: Upstream | null;
  readonly codexHome: string;
  /** Called when there is another login than before: what has the old one in memory must go. */
  readonly onChanged: () => Promise<void>;
}

/** Whether the login may be good: the provider is asked for its models with the key, or the stored login has changed since the last look. */
export async function loginProbe(
  options: LoginProbeOptions,
): Promise<(signal: AbortSignal) => Promise<boolean>> {
  const { upstream, codexHome, onChanged } = options;
  // Without a key there is nothing to ask with, and a restart is needed.
  if (upstream?.apiKey === '') return async () => false;
  if (upstream !== null) return async (signal) => (await checkModel(upstream, signal)).ok;
  const file = path.join(codexHome, 'auth.json');
  let seen = await changedAt(file);
  return async () => {
    const now = await changedAt(file);
    if (now === null || now === seen) return false;
    seen = now;
    await onChanged();
    return true;
  };
}

async function changedAt(file: string): Promise<number | null> {
  try {
    return (await stat(file)).mtimeMs;
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return null;
    throw error;
  }
}
