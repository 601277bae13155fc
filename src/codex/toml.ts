import type { Json, JsonObject } from './json.ts';

/** A TOML document with these keys at its top, each value inline. */
export function toToml(values: JsonObject): string {
  return Object.entries(values)
    .map(([key, value]) => `${quoted(key)} = ${inline(value)}\n`)
    .join('');
}

/** @throws {TypeError} for null, which TOML cannot say */
function inline(value: Json): string {
  if (value === null) throw new TypeError('TOML has no null');
  if (typeof value === 'string') return quoted(value);
  if (typeof value !== 'object') return String(value);
  if (isList(value)) return `[${value.map(inline).join(', ')}]`;
  return `{ ${Object.entries(value)
    .map(([key, inner]) => `${quoted(key)} = ${inline(inner)}`)
    .join(', ')} }`;
}

/** Basic strings of TOML are JSON strings, but for DEL, which must be escaped. */
function quoted(text: string): string {
  return JSON.stringify(text).replaceAll('\u007f', '\\u007f');
}

/** Array.isArray does not narrow a readonly list. */
function isList(value: readonly Json[] | JsonObject): value is readonly Json[] {
  return Array.isArray(value);
}
