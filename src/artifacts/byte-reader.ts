/** Takes bytes off a stream in the amounts that a format wants. */
export interface ByteReader {
  /** Exactly `count` bytes, or what was left where the stream ends before. */
  take(count: number): Promise<Buffer>;
  /** Some bytes, at least one and at most `count`; null at the end. */
  some(count: number): Promise<Buffer | null>;
}

export function createByteReader(pieces: AsyncIterator<Buffer>): ByteReader {
  let rest: Buffer = Buffer.alloc(0);

  const some = async (count: number): Promise<Buffer | null> => {
    while (rest.length === 0) {
      const next = await pieces.next();
      if (next.done === true) return null;
      rest = next.value;
    }
    const part = rest.subarray(0, count);
    rest = rest.subarray(part.length);
    return part;
  };

  return {
    some,
    async take(count) {
      if (rest.length >= count) {
        const part = rest.subarray(0, count);
        rest = rest.subarray(count);
        return part;
      }
      const parts: Buffer[] = [];
      for (let left = count; left > 0;) {
        const part = await some(left);
        if (part === null) break;
        parts.push(part);
        left -= part.length;
      }
      return Buffer.concat(parts);
    },
  };
}
