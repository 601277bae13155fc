import { redactText } from './redact-text.ts';
import { secrets, type Secrets } from './secrets.ts';
import { redactedMark } from './token-patterns.ts';

/** Names of fields whose value is a secret whatever it looks like. `inputTokens` and the like are counts. */
const secretName =
  /(?:api[-_]?key|private[-_]?key|token|secret|passw(?:or)?d|passphrase|authorization|cookie|credentials?)$/i;

/** A JSON value without secrets: in its texts, in the names of its fields, and under names that say that a secret follows. */
export function redactValue(value: unknown, known: Secrets = secrets): unknown {
  if (typeof value === 'string') return redactText(value, known);
  if (Array.isArray(value)) return value.map((item) => redactValue(item, known));
  if (typeof value !== 'object' || value === null) return value;
  const redacted = Object.entries(value).map(([name, field]: [string, unknown]) => {
    const isHidden = secretName.test(name) && field !== null && typeof field !== 'boolean';
    return [redactText(name, known), isHidden ? redactedMark : redactValue(field, known)] as const;
  });
  return Object.fromEntries(redacted);
}
