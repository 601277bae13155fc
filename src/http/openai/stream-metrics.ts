import type { GatewayMetrics } from '../../telemetry/gateway-metrics.ts';

export interface StreamMetrics extends Disposable {
  begin(): void;
}

/** The figures of one stream, from the request on; its end is when this is disposed. */
export function streamMetrics(metrics: GatewayMetrics, model: string): StreamMetrics {
  const askedMs = performance.now();
  let begunMs: number | null = null;
  return {
    begin() {
      begunMs = performance.now();
      metrics.streamBegun(model, begunMs - askedMs);
    },
    [Symbol.dispose]() {
      if (begunMs !== null) metrics.streamEnded(model, performance.now() - begunMs);
    },
  };
}
