const unitsMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const pattern = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/;

/** Milliseconds of `500ms`, `30s`, `10m`, `1.5h`, `30d` or of a bare number of milliseconds; NaN for anything else. */
export function parseDuration(value: unknown): number {
  if (typeof value === 'number') return value;
  if (typeof value !== 'string') return Number.NaN;
  const [, amount, unit] = pattern.exec(value.trim()) ?? [];
  if (amount === undefined || unit === undefined)
    return /^\d+$/.test(value.trim()) ? Number(value) : Number.NaN;
  return Math.round(Number(amount) * unitsMs[unit as keyof typeof unitsMs]);
}

/** The shortest spelling that `parseDuration` reads back as `ms`. */
export function formatDuration(ms: number): string {
  for (const unit of ['h', 'm', 's'] as const) {
    if (ms > 0 && ms % unitsMs[unit] === 0) return `${ms / unitsMs[unit]}${unit}`;
  }
  return `${ms}ms`;
}
