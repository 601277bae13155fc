const headBytes = 8;
const stdoutFrame = 1;

export interface FrameReader {
  push(chunk: Buffer): void;
}

export interface FrameListener {
  readonly onStdout: (chunk: Buffer) => void;
  readonly onStderr: (chunk: Buffer) => void;
}

/**
 * Takes apart the one stream in which the engine gives both outputs of a container: frames of a head (kind, three zeros, length as
 * big-endian 32 bits) and bytes (Docker Engine API, "Attach to a container"). What has come of a frame is passed on at once.
 */
export function createFrameReader({ onStdout, onStderr }: FrameListener): FrameReader {
  let head = Buffer.alloc(0);
  let rest = 0;
  let listener = onStdout;
  return {
    push(chunk) {
      let at = 0;
      while (at < chunk.length) {
        if (rest === 0) {
          const part = chunk.subarray(at, at + headBytes - head.length);
          head = Buffer.concat([head, part]);
          at += part.length;
          if (head.length < headBytes) return;
          listener = head[0] === stdoutFrame ? onStdout : onStderr;
          rest = head.readUInt32BE(4);
          head = Buffer.alloc(0);
          continue;
        }
        const part = chunk.subarray(at, at + rest);
        rest -= part.length;
        at += part.length;
        listener(part);
      }
    },
  };
}
