import { AppError } from '../../runtime/app-error.ts';

export interface AnswerReader {
  push(chunk: Buffer): void;
}

export interface AnswerReaderOptions {
  /** What stands, on a line of its own, after each answer. */
  readonly delimiter: string;
  readonly maxBytes: number;
  readonly onAnswer: (answer: Buffer) => void;
  /** The stream cannot be followed any more. */
  readonly onFault: (error: AppError) => void;
}

/** Cuts a byte stream into answers, each once over the bytes; what lies beyond `maxBytes` is not kept. */
export function createAnswerReader(options: AnswerReaderOptions): AnswerReader {
  const end = Buffer.from(`${options.delimiter}\n`);
  let chunks: Buffer[] = [];
  let sizeBytes = 0;
  let faulty = false;
  return {
    push(chunk) {
      if (faulty) return;
      chunks.push(chunk);
      sizeBytes += chunk.length;
      if (sizeBytes > options.maxBytes) {
        faulty = true;
        chunks = [];
        options.onFault(
          new AppError(
            'user',
            'output_too_large',
            `A diagram becomes larger than ${String(options.maxBytes)} bytes.`,
            {
              hint: 'Draw less in one diagram.',
            },
          ),
        );
        return;
      }
      // The delimiter is the last that comes: looking at the end alone keeps a long answer from being searched again and again.
      const tail = tailOf(chunks, end.length);
      if (!tail.equals(end)) return;
      const answer = Buffer.concat(chunks).subarray(0, sizeBytes - end.length);
      chunks = [];
      sizeBytes = 0;
      options.onAnswer(answer);
    },
  };
}

function tailOf(chunks: readonly Buffer[], length: number): Buffer {
  const parts: Buffer[] = [];
  let have = 0;
  for (let index = chunks.length - 1; index >= 0 && have < length; index -= 1) {
    const chunk = chunks[index] ?? Buffer.alloc(0);
    parts.unshift(chunk);
    have += chunk.length;
  }
  return Buffer.concat(parts).subarray(-length);
}
