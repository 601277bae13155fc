import type { ProxyFault } from '../codex/model-proxy/fault.ts';
import type { SupervisorSnapshot } from '../supervisor/supervisor-options.ts';
import type { TurnEnd, TurnListener, TurnSpec } from './turn.ts';

export interface TurnContext {
  readonly listener: TurnListener;
  /** Ends the turn. With the reason `enough` what was said so far is the answer; any other reason is what `run` rejects with. */
  readonly signal: AbortSignal;
}

/**
 * Runs turns of Codex for the gateway. `run` rejects with AppErrors in the gateway's codes: `worker_exited`, `worker_request_timeout`,
 * `auth_required`, `rate_limited`, `context_length_exceeded`, `model_not_found`, `invalid_request_error`, `upstream_unavailable`,
 * `app_server_disabled`, `thread_gone`.
 */
export interface Backend extends AsyncDisposable {
  readonly name: 'app-server' | 'exec';
  /** The supervised child; null where there is none. */
  snapshot(): SupervisorSnapshot | null;
  run(spec: TurnSpec, context: TurnContext): Promise<TurnEnd>;
  /** Another login is stored: what has the old one in memory is replaced before this resolves. Does not reject. */
  renew(): Promise<void>;
  /** No new turns from now on; those that run go on. */
  beginShutdown(): void;
}

/** How Codex gets at its model. */
export interface ModelAccess extends Disposable {
  readonly provider: { readonly baseUrl: string; readonly token: string } | null;
  /** Aborts with what makes going on pointless: a refused key, a limit. */
  readonly refused: AbortSignal;
  /** What the provider said, oldest first. */
  readonly faults: () => readonly ProxyFault[];
}

export type OpenModelAccess = () => ModelAccess;
