import { checkModel } from '../codex/check-model.ts';
import type { Upstream } from '../codex/model-proxy/upstream.ts';
import { loginChangedAtMs } from '../codex/login-changed-at.ts';

export interface LoginProbeOptions {
  /** Null: the login is kept in CODEX_HOME. */
  readonly upstream: Upstream | null;
  readonly codexHome: string;
  /** Called when there is another login than before: what has the old one in memory must go. */
  readonly onChanged: () => Promise<void>;
}

/** Whether the login may be good: the provider is asked for its models with the key, or the stored login has changed since the last look. */
export function loginProbe(options: LoginProbeOptions): (signal: AbortSignal) => Promise<boolean> {
  const { upstream, codexHome, onChanged } = options;
  // Without a key there is nothing to ask with, and a restart is needed.
  if (upstream?.apiKey === '') return () => Promise.resolve(false);
  if (upstream !== null) return async (signal) => (await checkModel(upstream, signal)).ok;
  let seen = loginChangedAtMs(codexHome);
  return async () => {
    const now = loginChangedAtMs(codexHome);
    if (now === null || now === seen) return false;
    seen = now;
    await onChanged();
    return true;
  };
}
