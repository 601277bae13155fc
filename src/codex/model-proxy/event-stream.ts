const newline = 0x0a;
const carriageReturn = 0x0d;
const dataField = Buffer.from('data:');

/**
 * Cuts a server-sent event stream, fed in chunks of any size, into the data of its events. It copies only what a chunk
 * boundary splits, and an event larger than `maxEventBytes` is passed over, so memory is bounded.
 */
export class EventStreamReader {
  readonly #onData: (data: Buffer) => void;
  readonly #maxEventBytes: number;
  #line: Buffer[] = [];
  #data: Buffer[] = [];
  #bytes = 0;

  constructor(maxEventBytes: number, onData: (data: Buffer) => void) {
    this.#maxEventBytes = maxEventBytes;
    this.#onData = onData;
  }

  feed(chunk: Buffer): void {
    let from = 0;
    for (let at = chunk.indexOf(newline); at !== -1; at = chunk.indexOf(newline, from)) {
      this.#keep(chunk.subarray(from, at));
      this.#endLine();
      from = at + 1;
    }
    this.#keep(chunk.subarray(from));
  }

  /** The stream is over: an event without its closing empty line still counts. */
  end(): void {
    this.#endLine();
    this.#endEvent();
  }

  #keep(part: Buffer): void {
    if (part.length === 0) return;
    this.#bytes += part.length;
    if (this.#bytes <= this.#maxEventBytes) this.#line.push(part);
    else this.#line = [];
  }

  #endLine(): void {
    const [first] = this.#line;
    const whole = this.#line.length === 1 && first !== undefined ? first : Buffer.concat(this.#line);
    this.#line = [];
    const line = whole.at(-1) === carriageReturn ? whole.subarray(0, -1) : whole;
    if (line.length === 0 && this.#bytes <= this.#maxEventBytes) this.#endEvent();
    else if (line.length === 0) this.#reset();
    else if (line.subarray(0, dataField.length).equals(dataField)) this.#data.push(line.subarray(5));
  }

  #endEvent(): void {
    const data = this.#data;
    const whole = this.#bytes <= this.#maxEventBytes;
    this.#reset();
    if (data.length > 0 && whole) this.#onData(data.length === 1 && data[0] ? data[0] : Buffer.concat(data));
  }

  #reset(): void {
    this.#data = [];
    this.#bytes = 0;
  }
}
