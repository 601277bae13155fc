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
  job_ended: 409,
  retry_not_applicable: 409,
  idempotency_conflict: 409,
  forbidden_host: 403,
  forbidden_origin: 403,
  invalid_api_key: 401,
  store_busy: 503,
  store_full: 507,
  disk_full: 507,
};

const titles: Readonly<Record<number, string>> = {
  400: 'Bad request',
  401: 'Not authorised',
  403: 'Forbidden',
  404: 'Not found',
  409: 'Conflict',
  413: 'Too large',
  415: 'Unsupported media type',
  500: 'Internal error',
  503: 'Unavailable',
  507: 'Out of space',
};

export function statusOf(error: AppError): number {
  return (
    statusOfCode[error.code] ?? (error.kind === 'user' ? 400 : error.kind === 'infrastructure' ? 503 : 500)
  );
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

export function sendProblem(reply: FastifyReply, problem: Problem): void {
  if (problem.status === 401) void reply.header('www-authenticate', 'Bearer');
  if (problem.status === 503) void reply.header('retry-after', '1');
  void reply.code(problem.status).type('application/problem+json').send(problem);
}

export function toProblem(error: FastifyError | AppError): Problem {
  if (error instanceof AppError) {
    const issues = error.details['issues'];
    return problem(
      statusOf(error),
      error.code,
      error.message,
      error.hint,
      isIssues(issues) ? issues : undefined,
    );
  }
  if (hasZodFastifySchemaValidationErrors(error)) {
    const errors = error.validation.map(({ instancePath, message }) => ({
      path: instancePath.replace(/^\//, '').replaceAll('/', '.'),
      message: message ?? 'is not valid',
    }));
    const detail = errors
      .map(({ path, message }) => (path === '' ? message : `${path}: ${message}`))
      .join('; ');
    return problem(400, 'invalid_request', detail, 'The shapes of all requests stand at /docs.', errors);
  }
  const status = error.statusCode ?? 500;
  if (status < 500) {
    const code =
      (error.code as string | undefined)?.toLowerCase().replace(/^fst_err_ctp_|^fst_err_|^fst_/, '') ??
      'invalid_request';
    return problem(
      status,
      code,
      error.message,
      status === 413 ? 'Send less, or put large files into the source folder.' : 'Correct the request.',
    );
  }
  return problem(
    500,
    'internal_error',
    'The request failed through a fault of the server.',
    'The log of `capstan serve` says more.',
  );
}

function problem(
  status: number,
  code: string,
  detail: string,
  hint: string,
  errors?: Problem['errors'],
): Problem {
  const title = titles[status] ?? 'Error';
  return {
    type: 'about:blank',
    title,
    status,
    detail,
    code,
    hint,
    ...(errors === undefined ? {} : { errors }),
  };
}

function isIssues(value: unknown): value is NonNullable<Problem['errors']> {
  return (
    Array.isArray(value) &&
    value.every((issue) => typeof issue === 'object' && issue !== null && 'path' in issue)
  );
}
