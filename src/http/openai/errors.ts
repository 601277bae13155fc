import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from '../../domain/logger.ts';
import { AppError } from '../../runtime/app-error.ts';
import type { ClientErrorForm } from '../client-error.ts';

/** An error in OpenAI's shape. https://platform.openai.com/docs/guides/error-codes */
export interface OpenAiError {
  readonly message: string;
  readonly type: string;
  readonly code: string;
  readonly param: string | null;
  readonly retryable?: true;
  readonly worker_status?: unknown;
}

interface Answer {
  readonly status: number;
  readonly error: OpenAiError;
  readonly retryAfterS: number | null;
}

const statuses: Readonly<Record<string, number>> = {
  invalid_request_error: 400,
  invalid_json: 400,
  auth_required: 401,
  invalid_api_key: 401,
  context_length_exceeded: 403,
  forbidden_host: 403,
  forbidden_origin: 403,
  model_not_found: 404,
  response_not_found: 404,
  route_not_found: 404,
  request_entity_too_large: 413,
  rate_limited: 429,
  worker_busy: 429,
  concurrency_exceeded: 429,
  request_aborted: 499,
  internal_error: 500,
  tool_choice_unmet: 502,
  app_server_disabled: 503,
  handshake_failed: 503,
  upstream_unavailable: 503,
  worker_exited: 503,
  worker_not_ready: 503,
  idle_timeout: 504,
  worker_request_timeout: 504,
};

function typeOf(status: number): string {
  if (status === 401) return 'authentication_error';
  if (status === 403) return 'permission_error';
  if (status === 429) return 'rate_limit_error';
  if (status === 504) return 'timeout_error';
  return status >= 500 ? 'server_error' : 'invalid_request_error';
}

/** What a caller is told of an error: status, body and when to come again. What is not known is a fault of ours, told without its text. */
export function openAiAnswer(error: unknown): Answer {
  if (!(error instanceof AppError)) return foreign(error);
  const status = statuses[error.code];
  if (status === undefined) return internal();
  const { param, retryable, retryAfterMs, workerStatus } = error.details;
  const retryAfterS = typeof retryAfterMs === 'number' ? Math.max(1, Math.ceil(retryAfterMs / 1000)) : null;
  return {
    status,
    retryAfterS: retryAfterS ?? (isWorthWaiting(status, error.code) ? 1 : null),
    error: {
      message: error.message,
      type: typeOf(status),
      code: error.code,
      param: typeof param === 'string' ? param : null,
      ...(retryable === true || status === 429 ? { retryable: true } : {}),
      ...(workerStatus === undefined ? {} : { worker_status: workerStatus }),
    },
  };
}

function isWorthWaiting(status: number, code: string): boolean {
  return status === 429 || (status === 503 && code !== 'app_server_disabled');
}

/** Fastify's own: a body that cannot be read, above all. */
function foreign(error: unknown): Answer {
  const { statusCode = 500, code = '' } = error as Partial<FastifyError>;
  const told = (status: number, name: string, message: string): Answer => ({
    status,
    retryAfterS: null,
    error: { message, type: typeOf(status), code: name, param: null },
  });
  if (statusCode === 413) return told(413, 'request_entity_too_large', 'The request body is too large.');
  if (statusCode === 429) return { ...told(429, 'rate_limited', (error as Error).message), retryAfterS: 1 };
  if (
    code === 'FST_ERR_CTP_INVALID_JSON_BODY' ||
    code === 'FST_ERR_CTP_EMPTY_JSON_BODY' ||
    error instanceof SyntaxError
  )
    return told(400, 'invalid_json', 'The body is not valid JSON.');
  if (statusCode === 415) return told(400, 'invalid_request_error', 'The body must be application/json.');
  if (statusCode >= 400 && statusCode < 500)
    return told(statusCode, 'invalid_request_error', (error as Error).message);
  return internal();
}

function internal(): Answer {
  const message = 'The request failed through a fault of the gateway; its log says more.';
  return {
    status: 500,
    retryAfterS: null,
    error: { message, type: 'server_error', code: 'internal_error', param: null },
  };
}

/** The one place where an error becomes an answer under /v1. */
export function openAiErrorMapper(logger: Logger) {
  return (error: unknown, request: FastifyRequest, reply: FastifyReply): void => {
    const answer = openAiAnswer(error);
    logFailure(logger, error, { status: answer.status, requestId: request.id });
    if (answer.status === 401) void reply.header('www-authenticate', 'Bearer realm="capstan"');
    if (answer.retryAfterS !== null) void reply.header('retry-after', String(answer.retryAfterS));
    // OpenAI's clients try every 5xx again, unless they are told that it is of no use.
    if (answer.error.code === 'app_server_disabled') void reply.header('x-should-retry', 'false');
    void reply.code(answer.status).type('application/json').send({ error: answer.error });
  };
}

/** What never became a request, in the same shape. */
export const openAiClientError: ClientErrorForm = ([, , message]) => ({
  headers: ['Content-Type: application/json', 'Access-Control-Allow-Origin: *'],
  body: { error: { message, type: 'invalid_request_error', code: 'invalid_request_error', param: null } },
});

export function logFailure(
  logger: Logger,
  error: unknown,
  facts: { readonly status: number; readonly requestId: string },
): void {
  if (facts.status >= 500 && facts.status !== 503 && facts.status !== 504)
    logger.error({ err: error, ...facts }, 'A request failed');
  else {
    const code = error instanceof AppError ? error.code : 'invalid_request';
    logger.debug({ code, ...facts }, 'A request was refused');
  }
}
