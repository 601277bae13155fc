import { pipeline } from 'node:stream/promises';
import { createDeflate } from 'node:zlib';

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~';
const digits = Buffer.from(alphabet, 'latin1');
/** Bytes that one line of a binary patch holds at most. */
const lineBytes = 52;

/** One line: a letter for the number of bytes (A–Z 1–26, a–z 27–52), then five base-85 digits for every four bytes. */
function encodeLine(bytes: Buffer, out: Buffer, at: number): number {
  const { length } = bytes;
  out[at++] = length <= 26 ? 64 + length : 70 + length;
  for (let i = 0; i < length; i += 4) {
    let word = 0;
    for (let j = 0; j < 4; j++) word = word * 256 + (bytes[i + j] ?? 0);
    for (let j = 4; j >= 0; j--) {
      out[at + j] = digits[word % 85] ?? 0;
      word = Math.floor(word / 85);
    }
    at += 5;
  }
  out[at++] = 10;
  return at;
}

function encodeLines(bytes: Buffer): Buffer {
  const out = Buffer.allocUnsafe(Math.ceil(bytes.length / lineBytes) * (2 + (lineBytes / 4) * 5));
  let at = 0;
  for (let i = 0; i < bytes.length; i += lineBytes)
    at = encodeLine(bytes.subarray(i, i + lineBytes), out, at);
  return out.subarray(0, at);
}

/** A `literal` hunk of a git binary patch (gitformat-pack's zlib data in git's base 85), made piece by piece. */
export async function* binaryLiteral(
  pieces: AsyncIterable<Buffer>,
  sizeBytes: number,
): AsyncGenerator<Buffer> {
  yield Buffer.from(`literal ${String(sizeBytes)}\n`);
  const deflate = createDeflate({ level: sizeBytes > 1024 ** 2 ? 1 : 6 });
  // A failure of the source also fails the loop below; this only keeps it from counting as unhandled.
  const fed = pipeline(pieces, deflate).then(
    () => undefined,
    () => undefined,
  );
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of deflate as AsyncIterable<Buffer>) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const whole = bytes.length - (bytes.length % lineBytes);
    if (whole > 0) yield encodeLines(bytes.subarray(0, whole));
    rest = bytes.subarray(whole);
  }
  await fed;
  yield encodeLines(rest);
  yield Buffer.from('\n');
}
