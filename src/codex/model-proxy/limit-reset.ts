import type { IncomingHttpHeaders } from 'node:http';

const maxAheadMs = 366 * 24 * 3600_000;
/** Numbers above this are points in time, in seconds or milliseconds; below it they are spans of seconds. */
const epochSecondsFloor = 1_000_000_000;
const epochMsFloor = 1_000_000_000_000;

/**
 * When a provider's limit resets, epoch milliseconds, from its `Retry-After` headers and error body, else from its
 * `x-ratelimit-reset*` headers; the latest of what is said, because asking too early only earns another refusal.
 * @param error the `error` object of the body, whatever it is
 */
export function limitReset(headers: IncomingHttpHeaders, error: unknown, nowMs: number): number | null {
  const said = [...fromRetryAfter(headers, nowMs), ...fromBody(error, nowMs)];
  const found = said.length > 0 ? said : fromRateLimitHeaders(headers, nowMs);
  const sane = found.filter((ms) => Number.isFinite(ms) && ms <= nowMs + maxAheadMs);
  return sane.length === 0 ? null : Math.max(nowMs, Math.ceil(Math.max(...sane)));
}

function fromRetryAfter(headers: IncomingHttpHeaders, nowMs: number): number[] {
  const found: number[] = [];
  const ms = headers['retry-after-ms'];
  if (typeof ms === 'string' && isNumber(ms)) found.push(nowMs + Number(ms));
  const value = headers['retry-after'];
  if (value === undefined) return found;
  if (isNumber(value)) found.push(nowMs + Number(value) * 1000);
  else found.push(Date.parse(value));
  return found.filter((at) => !Number.isNaN(at));
}

function fromBody(error: unknown, nowMs: number): number[] {
  if (typeof error !== 'object' || error === null) return [];
  const found: number[] = [];
  if ('resets_at' in error) found.push(...pointInTime(error.resets_at, nowMs));
  if ('resets_in_seconds' in error && typeof error.resets_in_seconds === 'number') {
    found.push(nowMs + error.resets_in_seconds * 1000);
  }
  if (found.length === 0 && 'message' in error && typeof error.message === 'string') {
    const span = tryAgainIn(error.message);
    if (span !== null) found.push(nowMs + span);
  }
  return found;
}

/** OpenAI sends a reset for every kind of limit, also those with room left: the exhausted ones count, where any says so. */
function fromRateLimitHeaders(headers: IncomingHttpHeaders, nowMs: number): number[] {
  const all: number[] = [];
  const exhausted: number[] = [];
  for (const [name, value] of Object.entries(headers)) {
    if (!name.startsWith('x-ratelimit-reset') || typeof value !== 'string') continue;
    const points = pointInTime(value, nowMs);
    all.push(...points);
    if (headers[name.replace('-reset', '-remaining')] === '0') exhausted.push(...points);
  }
  return exhausted.length > 0 ? exhausted : all;
}

function pointInTime(value: unknown, nowMs: number): number[] {
  if (typeof value === 'number') return [numberToTime(value, nowMs)];
  if (typeof value !== 'string') return [];
  if (isNumber(value)) return [numberToTime(Number(value), nowMs)];
  const span = parseSpan(value);
  if (span !== null) return [nowMs + span];
  const date = Date.parse(value);
  return Number.isNaN(date) ? [] : [date];
}

function numberToTime(value: number, nowMs: number): number {
  if (value >= epochMsFloor) return value;
  return value >= epochSecondsFloor ? value * 1000 : nowMs + value * 1000;
}

function isNumber(text: string): boolean {
  return /^\d{1,15}(\.\d{1,9})?$/.test(text.trim());
}

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3600_000, d: 86_400_000 };

/** A span such as `6m0s`, `1.5s` or `20ms` in milliseconds. */
function parseSpan(text: string): number | null {
  const trimmed = text.trim().slice(0, 40);
  if (!/^(?:\d{1,9}(?:\.\d{1,6})?(?:ms|[smhd]))+$/.test(trimmed)) return null;
  let total = 0;
  for (const [, amount, unit] of trimmed.matchAll(/(\d+(?:\.\d+)?)(ms|[smhd])/g)) {
    total += Number(amount) * (unitMs[unit ?? ''] ?? 0);
  }
  return total;
}

/** The span in a message such as `Please try again in 1.898s.`, milliseconds. */
function tryAgainIn(message: string): number | null {
  const text = message.slice(0, 4096).toLowerCase();
  const match = /try again in ((?:\d{1,9}(?:\.\d{1,6})?(?:ms|[smhd]))+)/.exec(text);
  if (match?.[1] !== undefined) return parseSpan(match[1]);
  const words = /try again in (\d{1,9}(?:\.\d{1,6})?) (second|minute|hour|day)/.exec(text);
  return words?.[2] === undefined ? null : Number(words[1]) * (unitMs[words[2].charAt(0)] ?? 0);
}
