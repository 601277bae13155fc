import type { GatewayMetrics, StreamFacts } from '../../telemetry/gateway-metrics.ts';

export interface StreamMetrics extends Disposable {
  begin(): void;
}

/** The figures of one stream, from the request on; its end is when this is disposed. */
export function streamMetrics(metrics: GatewayMetrics, facts: StreamFacts): StreamMetrics {
  const askedMs = performance.now();
  let begunMs: number | null = null;
  return {
    begin() {
      begunMs = performance.now();
      metrics.streamBegun(facts, begunMs - askedMs);
    },
    [Symbol.dispose]() {
      if (begunMs !== null) metrics.streamEnded(facts, performance.now() - begunMs);
    },
  };
}
