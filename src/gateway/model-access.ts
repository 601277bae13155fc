import type { ProxyFault } from '../codex/model-proxy/fault.ts';
import type { ModelProxy } from '../codex/model-proxy/start-model-proxy.ts';
import type { Upstream } from '../codex/model-proxy/upstream.ts';
import { systemClock } from '../runtime/clock.ts';
import { newId } from '../runtime/ids.ts';
import type { OpenModelAccess } from './backend.ts';
import { turnFailure } from './turn-failure.ts';

export interface ModelAccessOptions {
  readonly proxy: ModelProxy;
  /** Where the model is, with an empty key where there is none; null where the login in CODEX_HOME is used. */
  readonly upstream: Upstream | null;
  readonly loginHint: string;
}

/** A way to the model for each turn: a token of the model proxy that ends with it. Neither Codex nor what it starts has the key. */
export function modelAccess({ proxy, upstream, loginHint }: ModelAccessOptions): OpenModelAccess {
  return () => {
    const refusal = new AbortController();
    if (upstream === null) {
      return {
        provider: null,
        refused: refusal.signal,
        faults: () => [],
        [Symbol.dispose]: () => undefined,
      };
    }
    const fail = (faults: readonly ProxyFault[]): void => {
      refusal.abort(turnFailure({ error: null, faults, nowMs: systemClock(), loginHint }));
    };
    if (upstream.apiKey === '')
      throw turnFailure({ error: noKey, faults: [], nowMs: systemClock(), loginHint });
    const access = proxy.open({
      attemptId: `gateway:${newId()}`,
      upstream,
      onFault: (fault) => {
        // Codex would try a refused key, or wait for a limit, for minutes: the caller can do better.
        if (fault.kind === 'auth' || fault.kind === 'limit') fail([fault]);
      },
    });
    return {
      provider: { baseUrl: access.baseUrl, token: access.token },
      refused: refusal.signal,
      faults: () => access.faults,
      [Symbol.dispose]: () => {
        access.close();
      },
    };
  };
}

const noKey = { message: 'There is no key for the model.', info: 'unauthorized' } as const;
