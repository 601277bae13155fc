/** Something that came and is not a message. `head` is its first 200 characters. */
export interface ChannelFault {
  readonly kind: 'not_json' | 'too_long';
  readonly head: string;
}

export interface ChannelListener {
  readonly message: (value: unknown) => void;
  readonly fault: (fault: ChannelFault) => void;
  /** Once, and the last call. */
  readonly closed: (reason: string) => void;
}

/** Carries whole JSON values both ways, in order. */
export interface MessageChannel {
  /** To be called once, before anything can have come. */
  listen(listener: ChannelListener): void;
  /**
   * Resolves when the message has left this process, so that a sender who waits is slowed to the reader's speed.
   * Rejects with `connection_closed` or, when too much waits to be written, `connection_congested`.
   */
  send(message: object): Promise<void>;
  close(): void;
}
