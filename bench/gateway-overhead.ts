import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { AppServerClient } from '../src/codex/app-server/app-server-client.ts';
import { startAppServer } from '../src/codex/app-server/app-server-process.ts';
import { findCodex } from '../src/codex/find-codex.ts';
import { runAppServerTurn } from '../src/gateway/app-server-turn.ts';
import { probeContainment } from '../src/supervisor/contain.ts';
import type { Timing } from './children/gateway-client.ts';
import { chatBody, openBenchGateway, silent } from './gateway-stage.ts';
import { below, type Figure, type FigureContext, type Row } from './support/figure.ts';
import { startModel } from './support/model.ts';
import { key } from './support/places.ts';
import { startSide } from './support/side.ts';
import { median, percentile } from './support/statistics.ts';

const sizes = { full: { turns: 320, warm: 32 }, tiny: { turns: 4, warm: 1 } } as const;
const said = 'A short answer in three pieces, so that there is a first one and a last one.';

export const gatewayOverhead: Figure = {
  name: 'gateway-overhead',
  about: `One streamed chat completion over HTTP through the gateway against the same turn asked of an app-server directly (thread, turn, release; the same thread settings; the model asked without our proxy). The scripted model and the gateway's client
are processes of their own. The direct app-server runs in the environment that anybody would start it in; the gateway's own reads one root certificate instead of all, which is work that it does not do. Rounds of both alternate, at least as many slots as
requests; the figures are the differences of the medians and of the 99th percentiles, to the first piece and to the end.`,
  async run(context) {
    await using model = await startModel(context.dir, { conversations: [{ turns: [{ text: said }] }] });
    await using sides = new AsyncDisposableStack();
    const gateway = await startGateway(context, model.baseUrl, sides);
    const raw = await startRaw(context, model.baseUrl, sides);
    const rows: Row[] = [];
    for (const concurrency of context.scale === 'full' ? [1, 4, 16] : [1])
      rows.push(...(await compare(context, { gateway, raw, concurrency })));
    return rows;
  },
};

/** So many turns, so many at once. */
export type Ask = (count: number, concurrency: number) => Promise<readonly Timing[]>;

interface Sides {
  readonly gateway: Ask;
  readonly raw: Ask;
  readonly concurrency: number;
}

async function compare(
  context: FigureContext,
  { gateway, raw, concurrency }: Sides,
): Promise<readonly Row[]> {
  const { turns, warm } = sizes[context.scale];
  for (const ask of [gateway, raw]) await ask(warm, concurrency);
  const ours: Timing[] = [];
  const theirs: Timing[] = [];
  let ownMs = 0;
  for (let round = 0; round < 4; round += 1) {
    const before = process.cpuUsage();
    ours.push(...(await gateway(turns / 4, concurrency)));
    const { user, system } = process.cpuUsage(before);
    ownMs += (user + system) / 1000;
    theirs.push(...(await raw(turns / 4, concurrency)));
  }
  context.say(
    `${concurrency} at once: ${(ownMs / turns).toFixed(2)} ms processor time of the gateway a turn`,
  );
  const row = (what: keyof Timing, share: 'p50' | 'p99', limit: number): Row => {
    const of = (timings: readonly Timing[]): number => {
      const values = timings.map((timing) => timing[what]);
      return share === 'p50' ? median(values) : percentile(values, 0.99);
    };
    const [mine, its] = [of(ours), of(theirs)];
    context.say(`${concurrency} at once, ${what} ${share}: ${mine.toFixed(1)} ms, raw ${its.toFixed(1)} ms`);
    const figure = `added to ${what === 'first' ? 'the first piece' : 'the whole turn'}, ${share}, ${concurrency} at once (raw ${its.toFixed(1)} ms)`;
    return below({ figure, unit: 'ms', ours: mine - its, rival: null }, limit);
  };
  return [row('end', 'p50', 1), row('end', 'p99', 5), row('first', 'p50', 2)];
}

async function many(
  ask: () => Promise<Timing>,
  { count, concurrency }: { readonly count: number; readonly concurrency: number },
): Promise<readonly Timing[]> {
  const timings: Timing[] = [];
  let left = count;
  const one = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      timings.push(await ask());
    }
  };
  await Promise.all(Array.from({ length: concurrency }, one));
  return timings;
}

export async function startGateway(
  context: FigureContext,
  baseUrl: string,
  sides: AsyncDisposableStack,
): Promise<Ask> {
  const { url } = await openBenchGateway(context, { baseUrl }, sides);
  const client = sides.use(startSide(new URL('children/gateway-client.ts', import.meta.url)));
  const body = chatBody('hi', true);
  return (count, concurrency) => client.ask({ do: 'chat', url, body, count, concurrency });
}

export async function startRaw(
  { dir }: FigureContext,
  baseUrl: string,
  sides: AsyncDisposableStack,
): Promise<Ask> {
  const commandPath = process.env['PATH'] ?? '';
  const folder = path.join(dir, 'raw-work');
  await mkdir(folder, { recursive: true });
  const signal = AbortSignal.timeout(30_000);
  const { path: codexBin } = await findCodex({ bin: null, path: commandPath, signal });
  const server = sides.use(
    await startAppServer(
      {
        codexBin,
        codexHome: path.join(dir, 'raw-home'),
        dataDir: dir,
        scratchDir: path.join(dir, 'raw-scratch'),
        commandPath,
        containment: await probeContainment(signal),
        logger: silent,
      },
      { unloadDelaySeconds: 0 },
    ),
  );
  const client: AppServerClient = await server.supervisor.whenReady(signal, 30_000);
  const ask = async (): Promise<Timing> => {
    const began = performance.now();
    let first = 0;
    await runAppServerTurn(client, {
      spec: {
        history: [],
        input: [{ type: 'text', text: 'hi', text_elements: [] }],
        model: 'gpt-5.5',
        effort: null,
        verbosity: null,
        summary: null,
        tools: [],
        parallelTools: true,
        outputSchema: null,
        thread: { kind: 'ephemeral' },
      },
      settings: {
        sandboxMode: 'read-only',
        folder,
        codexBin,
        commandPath,
        provider: { baseUrl, token: key },
        verbosity: null,
      },
      listener: {
        onText: () => {
          if (first === 0) first = performance.now() - began;
        },
        onToolCall: () => undefined,
        onReasoning: () => undefined,
        onActivity: () => undefined,
      },
      signal: new AbortController().signal,
      hopeless: () => null,
    });
    return { first, end: performance.now() - began };
  };
  return (count, concurrency) => many(ask, { count, concurrency });
}
