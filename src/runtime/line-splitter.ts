export interface LineSplitterOptions {
  /** Gets each line without its `\n`, in order. */
  readonly onLine: (line: string) => void;
  /** Gets the first `maxLineBytes` of a line that is longer, once, when it passes the limit; the rest up to its `\n` is skipped. */
  readonly onOverlong: (head: string) => void;
  /** Without the `\n`. Default 64 MiB. The splitter holds at most this much of an unfinished line. */
  readonly maxLineBytes?: number;
}

export interface LineSplitter {
  push(chunk: Uint8Array): void;
  /** The stream has ended: gives out what stands after the last `\n`, if anything. */
  end(): void;
}

const newline = 0x0a;
const defaultMaxLineBytes = 64 * 1024 * 1024;
const smallestBuffer = 1024;

/**
 * Splits a byte stream into UTF-8 lines on `\n` alone. node:readline also splits on U+2028 and U+2029, which JSON allows in strings.
 * Bytes are decoded a whole line at a time, so a character cut by a chunk border survives; cost is linear in the bytes, whatever the chunks.
 */
export function createLineSplitter(options: LineSplitterOptions): LineSplitter {
  const maxLineBytes = options.maxLineBytes ?? defaultMaxLineBytes;
  let held = Buffer.alloc(0);
  let heldBytes = 0;
  let skipping = false;

  const hold = (part: Buffer): void => {
    const needed = heldBytes + part.length;
    if (needed > held.length) {
      const grown = Buffer.allocUnsafe(
        Math.max(needed, smallestBuffer, Math.min(held.length * 2, maxLineBytes)),
      );
      held.copy(grown, 0, 0, heldBytes);
      held = grown;
    }
    part.copy(held, heldBytes);
    heldBytes = needed;
  };
  const takeHeld = (): string => {
    const line = held.toString('utf8', 0, heldBytes);
    held = Buffer.alloc(0);
    heldBytes = 0;
    return line;
  };
  /** Adds to the current line; past the limit reports it once and drops what follows. */
  const extend = (part: Buffer): void => {
    if (skipping) return;
    if (heldBytes + part.length <= maxLineBytes) {
      hold(part);
      return;
    }
    hold(part.subarray(0, maxLineBytes - heldBytes));
    skipping = true;
    options.onOverlong(takeHeld());
  };
  const finishLine = (part: Buffer): void => {
    if (heldBytes === 0 && !skipping && part.length <= maxLineBytes) {
      options.onLine(part.toString('utf8'));
      return;
    }
    extend(part);
    const skipped = skipping;
    skipping = false;
    if (!skipped) options.onLine(takeHeld());
  };

  return {
    push: (chunk) => {
      const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
      let start = 0;
      for (let at = bytes.indexOf(newline); at !== -1; at = bytes.indexOf(newline, start)) {
        finishLine(bytes.subarray(start, at));
        start = at + 1;
      }
      if (start < bytes.length) extend(bytes.subarray(start));
    },
    end: () => {
      skipping = false;
      if (heldBytes > 0) options.onLine(takeHeld());
    },
  };
}
