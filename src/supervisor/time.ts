/** Time as the supervisor takes it: an input, so that a test can let ten minutes pass at once. */
export interface SupervisorTime {
  /** Epoch milliseconds, for people. */
  wallMs(): number;
  /** Milliseconds that never jump, for spans. */
  monotonicMs(): number;
  /** Calls back after `ms`, unless the returned function is called before. */
  after(ms: number, call: () => void): () => void;
}

export const systemTime: SupervisorTime = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after: (ms, call) => {
    const timer = setTimeout(call, ms);
    return () => {
      clearTimeout(timer);
    };
  },
};
