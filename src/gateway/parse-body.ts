import type { z } from 'zod';
import type { AppError } from '../runtime/app-error.ts';
import { badRequest } from './bad-request.ts';

type Issue = z.core.$ZodIssue;

/** A body in its schema's shape. Throws `invalid_request_error` with the first field that is wrong. */
export function parseBody<T extends z.ZodType>(schema: T, body: unknown): z.output<T> {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw badRequest('The body must be a JSON object.', null);
  }
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw issue === undefined ? badRequest('The body is not valid.', null) : describe(issue, []);
}

function describe(issue: Issue, above: readonly PropertyKey[]): AppError {
  const path = [...above, ...issue.path];
  if (issue.code === 'unrecognized_keys') {
    const param = paramOf([...path, ...issue.keys.slice(0, 1)]);
    return badRequest(`'${param}' is not supported.`, param);
  }
  // Of a union that fits nowhere, the branch that got furthest is the one that was meant.
  const branches = issue.code === 'invalid_union' ? issue.errors.flat() : [];
  const [meant] = branches.toSorted((one, two) => depth(two) - depth(one));
  if (meant !== undefined && (depth(meant) > 0 || branches.length === 1)) return describe(meant, path);
  const param = paramOf(path);
  return badRequest(`'${param}' ${said(issue)}.`, param);
}

function depth(issue: Issue): number {
  const inside = issue.code === 'invalid_union' ? issue.errors.flat().map(depth) : [];
  return issue.path.length + Math.max(0, ...inside);
}

function said(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_value':
      return `must be ${issue.values.map((value) => JSON.stringify(value)).join(' or ')}`;
    case 'invalid_union': {
      const known = / Expected (.*)$/.exec(issue.message)?.[1];
      return known === undefined ? plainly(issue.message) : `must be ${known.replaceAll(' | ', ' or ')}`;
    }
    case 'too_small':
      return `must ${bound(issue.origin)} at least ${issue.minimum}${unit(issue.origin)}`;
    case 'too_big':
      return `must ${bound(issue.origin)} at most ${issue.maximum}${unit(issue.origin)}`;
    default:
      return plainly(issue.message);
  }
}

function plainly(message: string): string {
  return /^(must|is) /.test(message) ? message : `is not valid: ${message}`;
}

function bound(origin: string): string {
  return origin === 'array' || origin === 'string' ? 'have' : 'be';
}

function unit(origin: string): string {
  if (origin === 'array') return ' entries';
  return origin === 'string' ? ' characters' : '';
}

function paramOf(path: readonly PropertyKey[]): string {
  return path.reduce<string>((name, part) => {
    if (typeof part === 'number') return `${name}[${part}]`;
    return name === '' ? String(part) : `${name}.${String(part)}`;
  }, '');
}
