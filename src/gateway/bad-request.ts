import { AppError } from '../runtime/app-error.ts';

/** What cannot be done as it was asked for; `param` names the field, as in `messages[0].content`. */
export function badRequest(message: string, param: string | null, code = 'invalid_request_error'): AppError {
  return new AppError('user', code, message, { details: { param } });
}
