import { AppError } from '../runtime/app-error.ts';
import type { FailureKind } from '../contract/failure.ts';

/** One thing that jobs rely on, looked at. */
export interface Check {
  readonly name: string;
  readonly ok: boolean;
  /** Whether no job can run while it is not ok; else it is a warning. */
  readonly required: boolean;
  readonly detail: string;
  /** The one type of job that needs it; absent: all do. */
  readonly of?: string;
  readonly hint?: string;
  readonly kind?: FailureKind;
  readonly code?: string;
}

export function passed(name: string, detail: string): Check {
  return { name, ok: true, required: true, detail };
}

/** What `error` says, as a check that jobs cannot run without. */
export function failed(name: string, error: AppError): Check {
  const { kind, code, message, hint } = error;
  return { name, ok: false, required: true, detail: message, kind, code, ...(hint === '' ? {} : { hint }) };
}

export function warned(name: string, error: AppError): Check {
  return { ...failed(name, error), required: false };
}

/** @throws AppError with the kind and code of the first required check that is not ok */
export function requireChecks(checks: readonly Check[]): void {
  const bad = checks.find((check) => check.required && !check.ok);
  if (bad === undefined) return;
  throw new AppError(bad.kind ?? 'configuration', bad.code ?? 'preflight_failed', bad.detail, {
    hint: bad.hint ?? '',
    details: { check: bad.name },
  });
}
