import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Logger } from '../../domain/logger.ts';
import { newId } from '../../runtime/ids.ts';
import type { Containment } from '../../supervisor/contain.ts';
import { jailed, type Jail } from '../../supervisor/jail.ts';
import { createSupervisor } from '../../supervisor/supervisor.ts';
import { watchEarlyExits } from '../early-exits.ts';
import { openDevtools, type Devtools, type DevtoolsCall } from './devtools.ts';
import { readResult, refuseNavigation, withinLimits } from './page-result.ts';

export interface BrowserOptions {
  readonly chromium: string;
  readonly commandPath: string;
  readonly containment: Containment;
  readonly jail: Jail;
  readonly scratchDir: string;
  readonly logger: Logger;
  /** The folders whose pages it may show. */
  readonly folders: readonly string[];
}

/** One page; disposing closes it. */
export interface Page extends AsyncDisposable {
  call(method: string, params?: Readonly<Record<string, unknown>>): Promise<unknown>;
  /** What an expression, or the promise that it gives, comes to. Throws `page_failed` where it throws. */
  evaluate(expression: string): Promise<unknown>;
  /** Shows a page and waits until it has loaded. */
  open(url: string): Promise<void>;
}

/** One Chromium kept warm, without a network. */
export interface Browser extends AsyncDisposable {
  start(signal: AbortSignal): Promise<void>;
  openPage(options: Pick<DevtoolsCall, 'signal' | 'limitMs'>): Promise<Page>;
  /** Ends the browser and starts another: for one that hangs. */
  replace(): void;
}

const readyLimitMs = 60_000;
const flags = [
  '--headless',
  '--remote-debugging-pipe',
  // The jail is the sandbox: Chromium's own needs rights that a jailed program has given up.
  '--no-sandbox',
  '--disable-gpu',
  '--no-first-run',
  '--no-default-browser-check',
  '--disable-extensions',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-breakpad',
  '--hide-scrollbars',
  '--mute-audio',
  '--force-color-profile=srgb',
  '--font-render-hinting=none',
  '--allow-file-access-from-files',
];

/** DevTools on descriptors 3 and 4, which become the pipes that the supervisor holds. */
const onPipes = ['-c', 'exec "$@" 3<&0 4>&1 </dev/null >/dev/null', 'browser'];

export async function createBrowser(options: BrowserOptions): Promise<Browser> {
  const { containment, logger } = options;
  const home = join(options.scratchDir, `browser-${newId()}`);
  await mkdir(home, { mode: 0o700 });
  // Chromium puts a socket into its temporary folder, and aborts where the path of that is longer than a socket's may be.
  const own = options.jail.kind === 'namespaces' ? '/tmp' : home;
  const spec = await jailed(
    {
      command: '/bin/sh',
      args: [
        ...onPipes,
        options.chromium,
        ...flags,
        `--user-data-dir=${join(own, 'profile')}`,
        'about:blank',
      ],
      env: { PATH: options.commandPath, HOME: own, LANG: 'C.UTF-8' },
      cwd: home,
    },
    {
      folders: [
        { path: home, access: 'write' },
        ...options.folders.map((path) => ({ path, access: 'read' as const })),
      ],
      network: 'none',
    },
    options.jail,
  );
  const early = watchEarlyExits(
    'Chromium',
    'Try it by hand: chromium --headless --no-sandbox --dump-dom about:blank',
  );
  const supervisor = createSupervisor<Devtools>(spec, {
    containment,
    startupTimeoutMs: readyLimitMs,
    graces: { stdinEndMs: 1_500, termMs: 1_500 },
    ready: async (child, signal) => {
      const devtools = openDevtools(child);
      await devtools.call('Browser.getVersion', {}, { signal, limitMs: readyLimitMs });
      return devtools;
    },
    onStderrLine: (line) => {
      early.noteLine(line);
      logger.trace({ line }, 'Chromium');
    },
    onEvent: (event) => {
      early.note(event);
      const { type, ...facts } = event;
      if (type === 'worker_exit') logger.info({ event: type, ...facts }, 'Chromium ended');
      else logger.debug({ event: type, ...facts }, 'Chromium');
    },
  });
  return {
    async start(signal) {
      supervisor.start();
      await Promise.race([supervisor.whenReady(signal, readyLimitMs), early.tooMany]);
    },
    async openPage(limits) {
      return openPage(await supervisor.whenReady(limits.signal, readyLimitMs), limits);
    },
    replace() {
      supervisor.recycle();
    },
    [Symbol.asyncDispose]: () => supervisor.stop(),
  };
}

const contextSchema = z.object({ browserContextId: z.string() });
const targetSchema = z.object({ targetId: z.string() });
const sessionSchema = z.object({ sessionId: z.string() });

async function openPage(devtools: Devtools, limits: Pick<DevtoolsCall, 'signal' | 'limitMs'>): Promise<Page> {
  const browser = (method: string, params: Readonly<Record<string, unknown>>): Promise<unknown> =>
    devtools.call(method, params, limits);
  const { browserContextId } = contextSchema.parse(await browser('Target.createBrowserContext', {}));
  const { targetId } = targetSchema.parse(
    await browser('Target.createTarget', { url: 'about:blank', browserContextId }),
  );
  const { sessionId } = sessionSchema.parse(
    await browser('Target.attachToTarget', { targetId, flatten: true }),
  );
  const call: Page['call'] = (method, params = {}) => devtools.call(method, params, { ...limits, sessionId });
  await call('Page.enable');
  await call('Network.enable');
  await call('Network.setBlockedURLs', { urls: ['http://*', 'https://*', 'ws://*', 'wss://*', 'ftp://*'] });
  return {
    call,
    evaluate: async (expression) =>
      readResult(await call('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true })),
    async open(url) {
      const loaded = Promise.withResolvers<undefined>();
      const stop = devtools.onEvent((event) => {
        if (event.sessionId === sessionId && event.method === 'Page.loadEventFired')
          loaded.resolve(undefined);
      });
      try {
        refuseNavigation(url, await call('Page.navigate', { url }));
        await withinLimits(loaded.promise, url, limits);
      } finally {
        stop();
      }
    },
    async [Symbol.asyncDispose]() {
      // Not the job's own signal: the page must go all the more when the job was told to stop.
      const closing = { signal: new AbortController().signal, limitMs: 5_000 };
      await devtools
        .call('Target.disposeBrowserContext', { browserContextId }, closing)
        .catch(() => undefined);
    },
  };
}
