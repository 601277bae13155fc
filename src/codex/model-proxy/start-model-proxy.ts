import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { Usage } from '../../contract/job.ts';
import { AppError } from '../../runtime/app-error.ts';
import { systemClock, type Clock } from '../../runtime/clock.ts';
import { ProxyAttempt, tokenDigest, type OpenAttempt } from './attempt.ts';
import type { ModelProxyLimits } from './exchange.ts';
import type { AuthFault, ProxyFault } from './fault.ts';
import { forward } from './forward.ts';
import { createProviderAgents, type ProxyEnvironment } from './provider-agents.ts';
import { basePath, route } from './route.ts';

const defaultLimits: ModelProxyLimits = {
  maxBodyBytes: 64 * 1024 * 1024,
  maxConcurrent: 16,
  connectMs: 15_000,
  idleMs: 10 * 60_000,
};

export interface ModelProxyOptions {
  /** Ends the proxy when it aborts. */
  readonly signal?: AbortSignal;
  readonly limits?: Partial<ModelProxyLimits>;
  /** Which proxy leads to the providers; none: directly. */
  readonly through?: ProxyEnvironment | undefined;
  /** A provider refused the key of this attempt: whoever else uses that key should stop. */
  readonly onAuthRefused?: (attemptId: string, fault: AuthFault) => void;
  readonly clock?: Clock;
}

/** One attempt's access: what to configure the agent with, and what it came to. Readable after `close`. */
export interface ProxyAccess extends Disposable {
  readonly baseUrl: string;
  /** The bearer token; worth nothing once closed. */
  readonly token: string;
  usage(): Usage;
  /** A refused key, then what went wrong since the last response that went well. */
  readonly faults: readonly ProxyFault[];
  /** Ends the attempt's streams and its token. */
  close(): void;
}

export interface ModelProxy extends AsyncDisposable {
  /** @throws AppError `base_url_invalid`, `key_invalid` (configuration), `proxy_closed` */
  open(attempt: OpenAttempt): ProxyAccess;
}

/** Stands between agents and their model on loopback, so that no agent holds a provider's key and each one's use is metered. */
export async function startModelProxy(options: ModelProxyOptions = {}): Promise<ModelProxy> {
  options.signal?.throwIfAborted();
  const clock = options.clock ?? systemClock;
  const limits = { ...defaultLimits, ...options.limits };
  const agents = createProviderAgents(options.through);
  const attempts = new Map<string, ProxyAttempt>();

  const server = createServer((req, res) => {
    const routed = route(req, res, { attempts, maxConcurrent: limits.maxConcurrent });
    if (routed !== null) void forward({ ...routed, limits, agents, clock });
  });
  // Longer than clients keep idle connections, so that they never write into one that closes.
  server.keepAliveTimeout = 120_000;
  const port = await listen(server);

  let disposed: Promise<void> | null = null;
  const dispose = (): Promise<void> => {
    disposed ??= (async () => {
      for (const attempt of attempts.values()) attempt.close();
      attempts.clear();
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
      agents[Symbol.dispose]();
    })();
    return disposed;
  };
  options.signal?.addEventListener('abort', () => void dispose(), { once: true });

  return {
    open(opening) {
      if (disposed !== null)
        throw new AppError('infrastructure', 'proxy_closed', 'The model proxy has stopped.');
      const attempt = new ProxyAttempt({
        ...opening,
        onFault: (fault) => {
          opening.onFault?.(fault);
          if (fault.kind === 'auth') options.onAuthRefused?.(opening.attemptId, fault);
        },
      });
      const digest = tokenDigest(attempt.token);
      attempts.set(digest, attempt);
      const close = (): void => {
        attempts.delete(digest);
        attempt.close();
      };
      return {
        baseUrl: `http://127.0.0.1:${String(port)}${basePath}`,
        token: attempt.token,
        usage: () => attempt.usage,
        get faults() {
          return attempt.faults;
        },
        close,
        [Symbol.dispose]: close,
      };
    },
    [Symbol.asyncDispose]: dispose,
  };
}

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('the model proxy has no port');
  return address.port;
}
