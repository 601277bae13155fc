import { loginChangedAtMs } from '../../codex/login-changed-at.ts';
import type { KeptLogin } from '../../runners/codex/deps.ts';
import { AppError } from '../../runtime/app-error.ts';
import type { Clock } from '../../runtime/clock.ts';

/** What was refused is not offered again for this long: somebody may have mended it at the provider. */
export const refusedForMs = 5 * 60_000;

export interface KeptLoginOptions {
  readonly codexHome: string;
  readonly clock: Clock;
  /** Told when there is another login after a refusal: what has the old one in memory must go. */
  readonly onChanged: () => void;
}

/**
 * The login in CODEX_HOME, for one attempt after the other. Once it is refused, attempts fail at once with `key_refused`, until there is
 * another. Codex itself renews a login now and then: that alone is no reason to read it again.
 */
export function watchKeptLogin({ codexHome, clock, onChanged }: KeptLoginOptions): () => KeptLogin {
  let usedMs = loginChangedAtMs(codexHome);
  let refusal: { readonly message: string; readonly atMs: number } | null = null;

  function refusedError(message: string): AppError {
    return new AppError('auth', 'key_refused', message, {
      hint: `Log in again with \`CODEX_HOME=${codexHome} codex login\`, then retry the job with \`capstan jobs retry\`; the worker goes on with the new login by itself.`,
    });
  }

  return () => {
    if (refusal !== null) {
      const changedMs = loginChangedAtMs(codexHome);
      if (changedMs === usedMs && clock() - refusal.atMs <= refusedForMs) throw refusedError(refusal.message);
      [usedMs, refusal] = [changedMs, null];
      onChanged();
    }
    const startedMs = usedMs;
    return {
      refused: (message) => {
        // An attempt with the login before says nothing of this one.
        if (startedMs === usedMs) refusal = { message, atMs: clock() };
        return refusedError(message);
      },
    };
  };
}
