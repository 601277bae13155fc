export interface TailBuffer {
  push(chunk: Uint8Array): void;
  text(): string;
  clear(): void;
}

/** Keeps the last `maxBytes` of a stream, in memory of that size. */
export function createTailBuffer(maxBytes: number): TailBuffer {
  const ring = Buffer.alloc(maxBytes);
  let written = 0;
  return {
    push: (chunk) => {
      const part = chunk.length > maxBytes ? chunk.subarray(chunk.length - maxBytes) : chunk;
      written += chunk.length - part.length;
      const at = written % maxBytes;
      const first = Math.min(part.length, maxBytes - at);
      ring.set(part.subarray(0, first), at);
      ring.set(part.subarray(first), 0);
      written += part.length;
    },
    text: () => {
      if (written <= maxBytes) return ring.toString('utf8', 0, written);
      const at = written % maxBytes;
      return Buffer.concat([ring.subarray(at), ring.subarray(0, at)]).toString('utf8');
    },
    clear: () => {
      written = 0;
    },
  };
}
