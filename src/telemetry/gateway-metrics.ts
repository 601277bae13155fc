import { Counter, Gauge, Histogram, Registry } from '@prometheus-io/client';

/** What one request came to; every label is one of few values. */
export interface RequestFacts {
  readonly route: string;
  readonly method: string;
  readonly status: number;
  /** A name of the catalogue, or `none`. */
  readonly model: string;
  readonly ms: number;
}

export interface StreamFacts {
  readonly route: string;
  readonly model: string;
}

export interface WorkerFacts {
  readonly ready: boolean;
  readonly restartsTotal: number;
  readonly backoffMs: number;
}

/** The gateway's figures for Prometheus. */
export interface GatewayMetrics {
  requestEnded(facts: RequestFacts): void;
  streamBegun(facts: StreamFacts, ttfbMs: number): void;
  streamEnded(facts: StreamFacts, ms: number): void;
  workerReady(startupLatencyMs: number): void;
  /** The text of /metrics, and its type. */
  render(): Promise<{ readonly contentType: string; readonly body: string }>;
}

const requestLabels = ['route', 'method', 'status_family', 'model'] as const;
const streamLabels = ['route', 'model'] as const;
const buckets = [5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000, 300_000];

/** @param worker read at each look at the metrics */
export function createGatewayMetrics(worker: () => WorkerFacts): GatewayMetrics {
  const registry = new Registry();
  const registers = [registry];
  const requests = new Counter({
    name: 'codex_http_requests_total',
    help: 'Requests that were answered.',
    labelNames: requestLabels,
    registers,
  });
  const errors = new Counter({
    name: 'codex_http_errors_total',
    help: 'Requests that were answered with an error.',
    labelNames: requestLabels,
    registers,
  });
  const latency = new Histogram({
    name: 'codex_http_latency_ms',
    help: 'From a request to the end of its answer.',
    labelNames: requestLabels,
    buckets,
    registers,
  });
  const ttfb = new Histogram({
    name: 'codex_stream_ttfb_ms',
    help: 'From a streamed request to the first piece of its answer.',
    labelNames: streamLabels,
    buckets,
    registers,
  });
  const duration = new Histogram({
    name: 'codex_stream_duration_ms',
    help: 'From the first piece of a stream to its end.',
    labelNames: streamLabels,
    buckets,
    registers,
  });
  const active = new Gauge({ name: 'codex_streams_active', help: 'Streams that are open.', registers });
  const startup = new Histogram({
    name: 'codex_worker_latency_ms',
    help: 'From a start of the app-server to its readiness.',
    buckets,
    registers,
  });
  const restarts = new Counter({
    name: 'codex_worker_restarts_total',
    help: 'Starts of the app-server after its first.',
    registers,
  });
  const ready = new Gauge({
    name: 'codex_worker_ready',
    help: '1 while the app-server is ready.',
    registers,
  });
  const backoff = new Gauge({
    name: 'codex_worker_backoff_ms',
    help: 'The wait before the next start of the app-server.',
    registers,
  });
  let restartsSeen = 0;

  return {
    requestEnded({ route, method, status, model, ms }) {
      const labels = { route, method, model, status_family: `${Math.floor(status / 100)}xx` };
      requests.inc(labels);
      if (status >= 400) errors.inc(labels);
      latency.observe(labels, ms);
    },
    streamBegun({ route, model }, ttfbMs) {
      active.inc();
      ttfb.observe({ route, model }, ttfbMs);
    },
    streamEnded({ route, model }, ms) {
      active.dec();
      duration.observe({ route, model }, ms);
    },
    workerReady(startupLatencyMs) {
      startup.observe(startupLatencyMs);
    },
    async render() {
      const facts = worker();
      ready.set(facts.ready ? 1 : 0);
      backoff.set(facts.backoffMs);
      restarts.inc(Math.max(0, facts.restartsTotal - restartsSeen));
      restartsSeen = Math.max(restartsSeen, facts.restartsTotal);
      return { contentType: registry.contentType, body: await registry.metrics() };
    },
  };
}
