import { failureOfTurn } from '../codex/failures.ts';
import type { ProxyFault } from '../codex/model-proxy/fault.ts';
import { AppError } from '../runtime/app-error.ts';

export interface FailureSources {
  readonly error: { readonly message: string; readonly info?: unknown } | null;
  readonly faults: readonly ProxyFault[];
  readonly nowMs: number;
  /** What to do about a login that the provider refuses. */
  readonly loginHint: string;
}

const defaultRetryMs = 5_000;

/** Why a turn failed, as the gateway's callers are told. */
export function turnFailure({ error, faults, nowMs, loginHint }: FailureSources): AppError {
  const { failure, untilMs } = failureOfTurn({ error, faults });
  const { message } = failure;
  switch (failure.code) {
    case 'key_refused':
      return new AppError('auth', 'auth_required', `${message} ${loginHint}`, { hint: loginHint });
    case 'usage_limit':
    case 'quota_exhausted':
    case 'rate_limit':
      return new AppError('limit', 'rate_limited', message, {
        hint: failure.hint,
        details: { retryAfterMs: untilMs === null ? defaultRetryMs : Math.max(1000, untilMs - nowMs) },
      });
    case 'context_window_exceeded':
      return new AppError('user', 'context_length_exceeded', message, { details: { param: 'messages' } });
    case 'model_not_found':
      return new AppError('user', 'model_not_found', message, { details: { param: 'model' } });
    case 'request_refused':
    case 'policy_refused':
      return new AppError('user', 'invalid_request_error', message, { details: { param: null } });
    case 'request_too_large':
      return new AppError('user', 'request_entity_too_large', message);
    case 'model_overloaded':
    case 'model_failed':
    case 'model_unreachable':
      return new AppError('infrastructure', 'upstream_unavailable', message, {
        hint: 'Try again.',
        details: { retryable: true, retryAfterMs: 1000 },
      });
    default:
      return new AppError(failure.kind, 'internal_error', message, { hint: failure.hint });
  }
}

/** A backend's own errors in the gateway's words. */
export function asGatewayError(error: unknown): unknown {
  if (!(error instanceof AppError)) return error;
  switch (error.code) {
    case 'agent_process_exited':
    case 'agent_unresponsive':
    case 'shutdown_in_progress':
    case 'connection_closed':
      return new AppError('infrastructure', 'worker_exited', error.message, {
        hint: 'Try again.',
        cause: error,
        details: { retryable: true, retryAfterMs: 1000 },
      });
    case 'rpc_error':
      return refusal(error);
    default:
      return error;
  }
}

/** A request that the app-server refused: what it was given comes from the caller, so the caller is told why. */
function refusal(error: AppError): AppError {
  return new AppError('user', 'invalid_request_error', error.message, {
    cause: error,
    details: { param: null },
  });
}
