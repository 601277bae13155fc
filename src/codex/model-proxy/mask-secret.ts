import { Transform } from 'node:stream';

const star = 0x2a;
/** Below this a "secret" is a placeholder (`none`, `test`) that may well occur in a model's text. */
const minSecretBytes = 8;

/**
 * A stream that overwrites every occurrence of `secret` with stars of the same length. Only bytes that may be the
 * beginning of the secret wait for the next chunk; all others pass at once.
 */
export function maskSecret(secret: string): Transform {
  const needle = Buffer.from(secret, 'utf8');
  let held: Buffer = Buffer.alloc(0);
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      if (needle.length < minSecretBytes) {
        done(null, chunk);
        return;
      }
      const joined = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
      const clean = mask(joined, needle);
      const waiting = partialMatch(clean, needle);
      held = clean.subarray(clean.length - waiting);
      done(null, clean.subarray(0, clean.length - waiting));
    },
    flush(done) {
      done(null, held);
    },
  });
}

/** The same for a short text, such as a header. */
export function maskText(text: string, secret: string): string {
  return secret.length < minSecretBytes ? text : text.replaceAll(secret, '*'.repeat(secret.length));
}

function mask(bytes: Buffer, needle: Buffer): Buffer {
  let at = bytes.indexOf(needle);
  if (at === -1) return bytes;
  const clean = Buffer.from(bytes);
  for (; at !== -1; at = clean.indexOf(needle, at)) clean.fill(star, at, at + needle.length);
  return clean;
}

/** How many bytes at the end may be the beginning of the needle. */
function partialMatch(bytes: Buffer, needle: Buffer): number {
  for (let length = Math.min(needle.length - 1, bytes.length); length > 0; length -= 1) {
    if (bytes[bytes.length - length] !== needle[0]) continue;
    if (bytes.subarray(bytes.length - length).equals(needle.subarray(0, length))) return length;
  }
  return 0;
}
