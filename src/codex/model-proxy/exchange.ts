import type { Agent as HttpAgent, IncomingMessage, ServerResponse } from 'node:http';
import type { Agent as HttpsAgent } from 'node:https';
import type { Clock } from '../../runtime/clock.ts';
import type { ProxyAttempt } from './attempt.ts';

export interface ModelProxyLimits {
  /** A request body beyond this is answered 413. */
  readonly maxBodyBytes: number;
  /** Requests of one attempt at the same time; one more is answered 503, which the CLI tries again. */
  readonly maxConcurrent: number;
  /** For the connection to the provider, TLS included. */
  readonly connectMs: number;
  /** Silence of the provider, before or within a response, that ends the exchange. */
  readonly idleMs: number;
}

export interface Agents {
  readonly http: HttpAgent;
  readonly https: HttpsAgent;
}

/** One request of an agent on its way through the proxy. */
export interface Exchange {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly attempt: ProxyAttempt;
  readonly endpoint: '/responses' | '/models';
  /** The target under the provider's base URL. */
  readonly url: URL;
  readonly limits: ModelProxyLimits;
  readonly agents: Agents;
  readonly clock: Clock;
}
