import { createLineSplitter, type LineSplitter } from '../../runtime/line-splitter.ts';
import type { ChannelFault } from './channel.ts';

export interface FrameReaderOptions {
  readonly onMessage: (value: unknown) => void;
  readonly onFault: (fault: ChannelFault) => void;
  readonly maxMessageBytes: number;
}

const headChars = 200;

/** Takes JSON values, one a line, out of a byte stream. Empty lines are nothing; a line that is no JSON or too long is a fault. */
export function createFrameReader({ onMessage, onFault, maxMessageBytes }: FrameReaderOptions): LineSplitter {
  return createLineSplitter({
    maxLineBytes: maxMessageBytes,
    onLine: (line) => {
      if (line.trim() === '') return;
      let value: unknown;
      try {
        value = JSON.parse(line);
      } catch (error) {
        if (!(error instanceof SyntaxError)) throw error;
        onFault({ kind: 'not_json', head: line.slice(0, headChars) });
        return;
      }
      onMessage(value);
    },
    onOverlong: (head) => {
      onFault({ kind: 'too_long', head: head.slice(0, headChars) });
    },
  });
}
