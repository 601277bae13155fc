import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { AppError } from '../../runtime/app-error.ts';

/** What may wait here for a reader that takes its time, and for how long it may take nothing of it. */
const patientBytes = 1024 * 1024;
const patienceMs = 30_000;
/** What may wait at most. Where it is more, the reader is given up at once. */
const maxWaitingBytes = 32 * 1024 * 1024;

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
  /** What was said in this tick. */
  #said = '';
  #patience: NodeJS.Timeout | null = null;

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
    if (this.#patience !== null) clearTimeout(this.#patience);
    if (!this.#begun) return;
    const last = this.#said;
    this.#said = '';
    this.#response.end(last);
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
    if (this.#said === '')
      process.nextTick(() => {
        this.#flush();
      });
    this.#said += text;
  }

  /** What the child said in one piece goes out in one piece, in the same tick: a system call for each token would cost more than the token. */
  #flush(): void {
    const response = this.#response;
    const text = this.#said;
    this.#said = '';
    if (text === '' || response.destroyed || response.writableEnded) return;
    response.write(text);
    if (response.writableLength > maxWaitingBytes) this.#giveUp();
    else if (response.writableLength > patientBytes) this.#waitForReader();
  }

  /** A reader that takes everything within a while is slow, one that does not is gone. */
  #waitForReader(): void {
    if (this.#patience !== null) return;
    this.#patience = setTimeout(() => {
      this.#giveUp();
    }, patienceMs);
    this.#response.once('drain', () => {
      if (this.#patience !== null) clearTimeout(this.#patience);
      this.#patience = null;
    });
  }

  #giveUp(): void {
    this.#options.onStuck(new AppError('user', 'request_aborted', 'The reader of the stream does not read.'));
    this.#response.destroy();
  }
}
