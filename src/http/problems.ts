import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod';
import type { Problem } from '../contract/problem.ts';
import type { Logger } from '../domain/logger.ts';
import { AppError } from '../runtime/app-error.ts';

/** Codes whose status says more than their kind's. */
const statusOfCode: Readonly<Record<string, number>> = {
  job_not_found: 404,
  artifact_not_found: 404,
  route_not_found: 404,
  method_not_allowed: 405,
  job_ended: 409,
  job_not_ended: 409,
  retry_not_applicable: 409,
  idempotency_conflict: 409,
  forbidden_host: 403,
  forbidden_origin: 403,
  invalid_api_key: 401,
  range_not_satisfiable: 416,
  archive_too_large: 413,
  folder_too_large: 413,
  store_full: 507,
  disk_full: 507,
};

const titles: Readonly<Record<number, string>> = {
  400: 'Bad request',
  401: 'Not authorised',
  403: 'Forbidden',
  404: 'Not found',
  405: 'Method not allowed',
  408: 'Too slow',
  409: 'Conflict',
  416: 'Range not satisfiable',
  413: 'Too large',
  414: 'Too long',
  415: 'Unsupported media type',
  431: 'Too large',
  500: 'Internal error',
  503: 'Unavailable',
  507: 'Out of space',
};

/** What happened inside names files and settings of the server: its log has that, a caller gets this. */
const insideFaults: Readonly<Record<number, { readonly detail: string; readonly hint: string }>> = {
  503: {
    detail: 'The server cannot do that at the moment.',
    hint: 'Try again; the log of the server says why.',
  },
  507: {
    detail: "The server's disk is full; nothing was accepted.",
    hint: 'Free space on it, then try again.',
  },
};
const fault = {
  detail: 'The request failed through a fault of the server.',
  hint: 'The log of `capstan serve` says more.',
};

function statusOf(error: AppError): number {
  const known = statusOfCode[error.code];
  if (known !== undefined) return known;
  if (error.kind === 'user') return 400;
  return error.kind === 'infrastructure' ? 503 : 500;
}

/** The one place where an error becomes an answer, for every route that is not of another protocol. */
export function problemMapper(logger: Logger) {
  return (error: FastifyError | AppError, request: FastifyRequest, reply: FastifyReply): void => {
    const problem = toProblem(error);
    if (problem.status >= 500)
      logger.error({ err: error, path: request.url.split('?')[0] }, 'A request failed');
    sendProblem(reply, problem);
  };
}

function sendProblem(reply: FastifyReply, problem: Problem): void {
  if (problem.status === 401) void reply.header('www-authenticate', 'Bearer realm="capstan"');
  if (problem.status === 503) void reply.header('retry-after', '1');
  // Fields of an artifact's answer that never came.
  void reply.removeHeader('content-length').removeHeader('content-disposition').removeHeader('etag');
  void reply.code(problem.status).type('application/problem+json').send(problem);
}

function toProblem(error: FastifyError | AppError): Problem {
  if (error instanceof AppError) return ofAppError(error);
  if (hasZodFastifySchemaValidationErrors(error)) {
    const place = error.validationContext === 'body' ? '' : (error.validationContext ?? '');
    const errors = error.validation.map(({ instancePath, message }) => ({
      path: [place, ...instancePath.split('/')].filter((part) => part !== '').join('.'),
      message: message ?? 'is not valid',
    }));
    const detail = errors
      .map(({ path, message }) => (path === '' ? message : `${path}: ${message}`))
      .join('; ');
    return problem(400, 'invalid_request', {
      detail,
      hint: 'The shapes of all requests stand at /docs.',
      errors,
    });
  }
  const status = error.statusCode ?? 500;
  if (status >= 500)
    return problem(status === 503 ? 503 : 500, 'internal_error', insideFaults[status] ?? fault);
  const hint =
    status === 413 ? 'Send less, or put large files into the source folder.' : 'Correct the request.';
  return problem(status, codeOf(error), { detail: error.message, hint });
}

function ofAppError(error: AppError): Problem {
  const status = statusOf(error);
  if (status >= 500 && error.code !== 'server_stopping')
    return problem(status, error.code, insideFaults[status] ?? fault);
  const issues = error.details['issues'];
  const errors = isIssues(issues) ? issues : undefined;
  return problem(status, error.code, { detail: error.message, hint: error.hint, errors });
}

/** `FST_ERR_CTP_BODY_TOO_LARGE` is our `body_too_large`. */
function codeOf(error: FastifyError): string {
  const code = (error.code as string | undefined) ?? 'invalid_request';
  return code.toLowerCase().replace(/^fst_err_ctp_|^fst_err_|^fst_/, '');
}

interface ProblemText {
  readonly detail: string;
  readonly hint: string;
  readonly errors?: Problem['errors'];
}

export function problem(status: number, code: string, { detail, hint, errors }: ProblemText): Problem {
  const title = titles[status] ?? 'Error';
  const base = { type: 'about:blank', title, status, detail, code, hint };
  return errors === undefined ? base : { ...base, errors };
}

function isIssues(value: unknown): value is NonNullable<Problem['errors']> {
  return (
    Array.isArray(value) &&
    value.every((issue) => typeof issue === 'object' && issue !== null && 'path' in issue)
  );
}
