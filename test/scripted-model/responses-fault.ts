import type { Fault } from './scenario.ts';

export interface HttpFault {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/** A fault that is an HTTP answer, as OpenAI words it; undefined for those that happen inside a stream. */
export function httpFault(fault: Fault, nowMs: number): HttpFault | undefined {
  switch (fault.fault) {
    case 'unauthorized':
      return unauthorized('');
    case 'usage_limit':
      return usageLimit(fault.resetsAt ?? Math.floor(nowMs / 1000) + fault.resetsInS, nowMs);
    case 'rate_limit':
      return rateLimit(fault.retryAfterS);
    case 'server_error':
      return failure(500, 'server_error', null, 'The server had an error while processing your request.');
    case 'overloaded':
      return failure(503, 'server_error', 'server_is_overloaded', 'The engine is currently overloaded.');
    case 'status':
      return {
        status: fault.status,
        headers: fault.headers,
        body: fault.body ?? {
          error: { message: `scripted status ${String(fault.status)}`, type: 'scripted' },
        },
      };
    default:
      return undefined;
  }
}

/** The answer to a key that is not accepted; shows only its ends, as OpenAI does. */
export function unauthorized(token: string): HttpFault {
  const shown = token.length > 8 ? `${token.slice(0, 4)}****${token.slice(-4)}` : '****';
  const message = `Incorrect API key provided: ${shown}. You can find your API key at https://platform.openai.com/account/api-keys.`;
  return failure(401, 'invalid_request_error', 'invalid_api_key', message);
}

export function badRequest(message: string): HttpFault {
  return failure(400, 'invalid_request_error', 'invalid_value', message);
}

/** What makes Codex fall back from its websocket to HTTP. */
export function noWebsocket(): HttpFault {
  return failure(426, 'invalid_request_error', null, 'Websockets are not supported.');
}

function failure(status: number, type: string, code: string | null, message: string): HttpFault {
  return { status, headers: {}, body: { error: { message, type, param: null, code } } };
}

function usageLimit(resetsAt: number, nowMs: number): HttpFault {
  const left = Math.max(0, resetsAt - Math.floor(nowMs / 1000));
  return {
    status: 429,
    headers: {
      'x-codex-primary-used-percent': '100',
      'x-codex-primary-window-minutes': '300',
      'x-codex-primary-reset-at': String(resetsAt),
    },
    body: {
      error: {
        type: 'usage_limit_reached',
        message: 'The usage limit has been reached',
        plan_type: 'plus',
        resets_at: resetsAt,
        resets_in_seconds: left,
      },
    },
  };
}

function rateLimit(retryAfterS: number): HttpFault {
  const message = `Rate limit reached for requests. Please try again in ${String(retryAfterS)}s.`;
  return {
    ...failure(429, 'requests', 'rate_limit_exceeded', message),
    headers: {
      'retry-after': String(Math.ceil(retryAfterS)),
      'x-ratelimit-limit-requests': '60',
      'x-ratelimit-remaining-requests': '0',
      'x-ratelimit-reset-requests': `${String(retryAfterS)}s`,
    },
  };
}
