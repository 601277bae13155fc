import type { Failure, FailureKind } from '../contract/failure.ts';

export interface AppErrorOptions {
  /** The next step for whoever reads the message. */
  readonly hint?: string;
  readonly cause?: unknown;
  /** Facts for machines; never a secret. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/** The one error of the project: a kind that decides what happens, a stable snake_case code, a message that names the thing. */
export class AppError extends Error {
  override readonly name = 'AppError';
  readonly kind: FailureKind;
  readonly code: string;
  readonly hint: string;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(kind: FailureKind, code: string, message: string, options: AppErrorOptions = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.kind = kind;
    this.code = code;
    this.hint = options.hint ?? '';
    this.details = options.details ?? {};
  }
}

/** Any thrown value as a failure record. What is not an AppError is a fault of ours: kind `infrastructure`, code `internal_error`. */
export function toFailure(error: unknown): Failure {
  if (error instanceof AppError) {
    return { kind: error.kind, code: error.code, message: error.message, hint: error.hint };
  }
  // What came first is what went wrong; the rest came of it.
  if (error instanceof SuppressedError) return toFailure(error.suppressed);
  const message = error instanceof Error ? error.message : String(error);
  return {
    kind: 'infrastructure',
    code: 'internal_error',
    message,
    hint: 'This is a fault in Capstan or the machine; the log has the stack.',
  };
}

/** Whether `error` is a Node system error with this code, such as `ENOENT`. */
export function hasErrno(error: unknown, ...codes: readonly string[]): error is NodeJS.ErrnoException {
  return (
    error instanceof Error && 'code' in error && typeof error.code === 'string' && codes.includes(error.code)
  );
}
