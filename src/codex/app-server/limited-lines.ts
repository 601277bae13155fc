export interface LeftOut {
  readonly lines: number;
  readonly bytes: number;
}

export interface LimitedLinesOptions {
  /** Lines that are passed on within a window. */
  readonly max: number;
  readonly windowMs: number;
  readonly onLine: (line: string) => void;
  /** What a window had beyond that, told when it is over. */
  readonly onLeftOut: (leftOut: LeftOut) => void;
}

/** Keeps what a child writes for people from filling the log. */
export class LimitedLines implements Disposable {
  readonly #options: LimitedLinesOptions;
  #passed = 0;
  #leftOut: LeftOut = { lines: 0, bytes: 0 };
  #window: NodeJS.Timeout | null = null;

  constructor(options: LimitedLinesOptions) {
    this.#options = options;
  }

  push(line: string): void {
    const { max, windowMs, onLine } = this.#options;
    this.#window ??= setTimeout(() => {
      this.#endWindow();
    }, windowMs).unref();
    if (this.#passed < max) {
      this.#passed += 1;
      onLine(line);
      return;
    }
    const { lines, bytes } = this.#leftOut;
    this.#leftOut = { lines: lines + 1, bytes: bytes + Buffer.byteLength(line) };
  }

  [Symbol.dispose](): void {
    if (this.#window !== null) clearTimeout(this.#window);
    this.#endWindow();
  }

  #endWindow(): void {
    const leftOut = this.#leftOut;
    this.#window = null;
    this.#passed = 0;
    this.#leftOut = { lines: 0, bytes: 0 };
    if (leftOut.lines > 0) this.#options.onLeftOut(leftOut);
  }
}
