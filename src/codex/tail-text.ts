/** How much of a command's output goes into an event. */
export const outputTailBytes = 4096;

/** The last `maxBytes` of a text, in whole characters, with a mark where something is left out. */
export function tailText(text: string, maxBytes: number = outputTailBytes): string {
  if (text.length <= maxBytes && Buffer.byteLength(text) <= maxBytes) return text;
  // No character takes less than a byte: more than this many units are never needed.
  const bytes = Buffer.from(text.slice(-maxBytes));
  let start = Math.max(0, bytes.length - maxBytes);
  // 10xxxxxx continues a character.
  while (start < bytes.length && ((bytes[start] ?? 0) & 0xc0) === 0x80) start += 1;
  return `…${bytes.subarray(start).toString()}`;
}
