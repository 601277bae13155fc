import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { AppError } from '../../runtime/app-error.ts';

/** What may wait here for a reader that does not read, before it is given up. */
const maxWaitingBytes = 4 * 1024 * 1024;

export interface EventStreamOptions {
  readonly headers: OutgoingHttpHeaders;
  /** Null: no comments. */
  readonly keepaliveMs: number | null;
  /** Called once, with the first byte. */
  readonly onBegin: () => void;
  /** The reader takes too little. */
  readonly onStuck: (error: AppError) => void;
}

/** A raw stream of server-sent events. Nothing is sent before the first frame or comment: until then an error can be an answer of its own. */
export class EventStream implements Disposable {
  readonly #response: ServerResponse;
  readonly #options: EventStreamOptions;
  readonly #beat: NodeJS.Timeout | null;
  #begun = false;
  #isCorked = false;

  constructor(response: ServerResponse, options: EventStreamOptions) {
    this.#response = response;
    this.#options = options;
    this.#beat =
      options.keepaliveMs === null
        ? null
        : setInterval(() => {
            this.#write(': keep-alive\n\n');
          }, options.keepaliveMs);
  }

  get begun(): boolean {
    return this.#begun;
  }

  data(data: object | '[DONE]'): void {
    const text = data === '[DONE]' ? data : JSON.stringify(data);
    this.#write(`data: ${text}\n\n`);
  }

  event(type: string, data: object): void {
    this.#write(`event: ${type}\ndata: ${JSON.stringify(data)}\n\n`);
  }

  [Symbol.dispose](): void {
    if (this.#beat !== null) clearInterval(this.#beat);
    if (this.#begun) this.#response.end();
  }

  #write(text: string): void {
    const response = this.#response;
    if (response.destroyed || response.writableEnded) return;
    if (!this.#begun) {
      this.#begun = true;
      response.writeHead(200, {
        ...this.#options.headers,
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-cache, no-transform',
        'x-accel-buffering': 'no',
      });
      this.#options.onBegin();
    }
    this.#beat?.refresh();
    this.#cork();
    response.write(text);
    if (response.writableLength > maxWaitingBytes) {
      this.#options.onStuck(
        new AppError('user', 'request_aborted', 'The reader of the stream does not read.'),
      );
      response.destroy();
    }
  }

  /** What the child said in one piece goes out in one piece, in the same tick: a system call for each token would cost more than the token. */
  #cork(): void {
    if (this.#isCorked) return;
    this.#isCorked = true;
    const response = this.#response;
    response.cork();
    process.nextTick(() => {
      this.#isCorked = false;
      if (!response.writableEnded && !response.destroyed) response.uncork();
    });
  }
}
