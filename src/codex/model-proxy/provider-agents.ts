import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';

/** The variables that say which proxy leads to which host, with those of their spellings that are set. */
export type ProxyEnvironment = Readonly<Record<string, string>>;

export interface ProviderAgents extends Disposable {
  readonly http: HttpAgent;
  readonly https: HttpsAgent;
}

/** This machine is not reached through a proxy, whatever NO_PROXY says. */
const loopback = 'localhost,127.0.0.1,[::1]';

/** Connections to providers, kept alive, through the proxy that HTTPS_PROXY, HTTP_PROXY and NO_PROXY name (Node 22.21 and 24.5 or newer). */
export function createProviderAgents(through: ProxyEnvironment = {}): ProviderAgents {
  const except = through['no_proxy'] ?? through['NO_PROXY'] ?? '';
  const isProxied = Object.keys(through).some((name) => name.toLowerCase() !== 'no_proxy');
  const no_proxy = except === '' ? loopback : `${except},${loopback}`;
  const options = { keepAlive: true, ...(isProxied ? { proxyEnv: { ...through, no_proxy } } : {}) };
  const [http, https] = [new HttpAgent(options), new HttpsAgent(options)];
  return {
    http,
    https,
    [Symbol.dispose]() {
      http.destroy();
      https.destroy();
    },
  };
}
