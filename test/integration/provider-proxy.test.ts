import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { connect, type Socket } from 'node:net';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { checkModel } from '../../src/codex/check-model.ts';
import { startModelProxy } from '../../src/codex/model-proxy/start-model-proxy.ts';
import { loadProfile } from '../../src/config/load-profile.ts';
import { selfSigned } from '../support/self-signed.ts';
import {
  completedEvent,
  sendEvents,
  sendJson,
  startUpstream,
  type TestUpstream,
} from '../support/upstream.ts';

const apiKey = 'sk-0123456789';
const usage = { inputTokens: 1, cachedInputTokens: 0, outputTokens: 1 };

interface TestProxy extends AsyncDisposable {
  readonly url: string;
  /** What it was asked to connect to, or to fetch. */
  readonly asked: { readonly target: string; readonly authorization: string | undefined }[];
}

/** A proxy that leads every name to `upstream`; null: it never answers. */
async function startProxy(upstream: TestUpstream | null): Promise<TestProxy> {
  const asked: TestProxy['asked'] = [];
  const sockets = new Set<Socket>();
  const port = Number(new URL(upstream?.baseUrl ?? 'http://x:1').port);
  const server: Server = createServer((req, res) => {
    asked.push({ target: req.url ?? '', authorization: req.headers['proxy-authorization'] });
    res.writeHead(502).end();
  });
  server.on('connect', (req: IncomingMessage, socket: Socket) => {
    asked.push({ target: req.url ?? '', authorization: req.headers['proxy-authorization'] });
    sockets.add(socket);
    socket.on('error', () => undefined);
    if (upstream === null) return;
    const there = connect(port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      socket.pipe(there).pipe(socket);
    });
    there.on('error', () => socket.destroy());
    sockets.add(there);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  return {
    url: `http://127.0.0.1:${String(address.port)}`,
    asked,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function startProvider(): Promise<TestUpstream> {
  return startUpstream(
    (req, res) => {
      if (req.method === 'GET') sendJson(res, 200, { data: [] });
      else sendEvents(res, completedEvent(usage));
    },
    (listener: RequestListener) => createHttpsServer(selfSigned, listener),
  );
}

const before = getCACertificates('default');
beforeEach(() => {
  setDefaultCACertificates([...before, selfSigned.cert]);
});
afterEach(() => {
  setDefaultCACertificates(before);
});

/** Asks the provider as an agent does; the status of the answer. */
async function askThrough(
  environment: Record<string, string>,
  baseUrl: string,
  limits = {},
): Promise<number> {
  const { through } = loadProfile(environment);
  await using proxy = await startModelProxy({ through, limits });
  using access = proxy.open({ attemptId: 'a:1', upstream: { baseUrl, apiKey } });
  const answer = await fetch(`${access.baseUrl}/responses`, {
    method: 'POST',
    headers: { authorization: `Bearer ${access.token}`, 'content-type': 'application/json' },
    body: '{}',
  });
  await answer.text();
  return answer.status;
}

describe('a provider behind a proxy', () => {
  // The certificate is for localhost, which is never proxied by its name: so its other name is asked for.
  const named = (provider: TestUpstream): string =>
    provider.baseUrl.replace('http://127.0.0.1', 'https://127.0.0.1');

  test.each(['HTTPS_PROXY', 'https_proxy'])('is asked through %s, with its password', async (variable) => {
    await using provider = await startProvider();
    await using proxy = await startProxy(provider);
    const url = proxy.url.replace('http://', 'http://user:pass%21@');
    const status = await askThrough({ [variable]: url }, 'https://provider.test/v1');
    // The tunnel was made; the name in the certificate is another.
    expect(status).toBe(502);
    expect(proxy.asked).toMatchObject([
      {
        target: 'provider.test:443',
        authorization: `Basic ${Buffer.from('user:pass!').toString('base64')}`,
      },
    ]);
  });

  test('is checked through it, too', async () => {
    await using provider = await startProvider();
    await using proxy = await startProxy(provider);
    const { through } = loadProfile({ HTTPS_PROXY: proxy.url });
    const upstream = { baseUrl: 'https://provider.test/v1', apiKey, through };
    await checkModel(upstream, AbortSignal.timeout(10_000));
    expect(proxy.asked).toMatchObject([{ target: 'provider.test:443' }]);
  });

  test('is asked directly where NO_PROXY names it, and where it is this machine', async () => {
    await using provider = await startProvider();
    await using proxy = await startProxy(provider);
    expect(await askThrough({ HTTPS_PROXY: proxy.url }, named(provider))).toBe(200);
    const excepted = { HTTPS_PROXY: proxy.url, NO_PROXY: 'provider.invalid' };
    expect(await askThrough(excepted, 'https://provider.invalid/v1')).toBe(502);
    expect(proxy.asked).toEqual([]);
  });

  test('whose proxy never answers is given up in time', async () => {
    await using proxy = await startProxy(null);
    const status = await askThrough({ HTTPS_PROXY: proxy.url }, 'https://provider.test/v1', {
      connectMs: 200,
    });
    expect(status).toBeGreaterThanOrEqual(500);
    expect(proxy.asked).toHaveLength(1);
  });
});
