import { chatBody, openBenchGateway, whenReady } from './gateway-stage.ts';
import { leaf, rawStartMs, surroundings } from './restart.ts';
import { atMost, below, type Figure } from './support/figure.ts';
import { startModel } from './support/model.ts';
import { median } from './support/statistics.ts';

const sizes = { full: { rounds: 15, clients: 4 }, tiny: { rounds: 1, clients: 2 } } as const;

interface Seen {
  answered: number;
  retriable: number;
  other: number;
}

export const gatewayCrash: Figure = {
  name: 'gateway-crash',
  about: `SIGKILL of the gateway's app-server while 4 clients ask without a pause, until the next one is ready, over the raw time from the spawn of the same binary to its answer to \`initialize\` on the idle machine;
and what the clients saw: an error that is not retriable counts against us. Alternating; medians.`,
  async run(context) {
    const { rounds, clients } = sizes[context.scale];
    await using model = await startModel(context.dir, {
      conversations: [{ turns: [{ text: 'An answer.' }] }],
    });
    await using sides = new AsyncDisposableStack();
    const { gateway, url } = await openBenchGateway(
      context,
      { baseUrl: model.baseUrl, env: { WORKER_RESTART_MAX: '1000' } },
      sides,
    );
    const options = await surroundings(context);
    const [raw, again]: [number[], number[]] = [[], []];
    const seen: Seen = { answered: 0, retriable: 0, other: 0 };
    for (let round = 0; round < rounds; round += 1) {
      raw.push(await rawStartMs(options));
      const stop = new AbortController();
      const load = Array.from({ length: clients }, () => askOn(url, seen, stop.signal));
      const before = seen.answered + clients;
      while (seen.answered < before) await new Promise((resolve) => setTimeout(resolve, 5));
      const { restarts_total: restarts, pid } = gateway.health().worker_supervisor;
      const began = performance.now();
      process.kill(leaf(Number(pid)), 'SIGKILL');
      while (gateway.health().worker_supervisor['restarts_total'] === restarts)
        await new Promise((resolve) => setTimeout(resolve, 1));
      await whenReady(gateway);
      again.push(performance.now() - began);
      stop.abort();
      await Promise.all(load);
    }
    const all = seen.answered + seen.retriable + seen.other;
    const figure = 'SIGKILL of the app-server under load → ready, over its raw start';
    return [
      atMost({ figure, unit: 'ms', ours: median(again), rival: median(raw) }, 1.2),
      count(`requests that saw a retriable error, of ${all} around ${rounds} kills`, seen.retriable),
      below({ figure: 'requests that saw any other error', unit: '', ours: seen.other, rival: null }, 1),
    ];
  },
};

function count(figure: string, ours: number) {
  return { figure, unit: '', ours, rival: null, ratio: null, goal: '', met: null } as const;
}

/** As a client does that was told to try again: after a moment. */
async function askOn(url: string, seen: Seen, signal: AbortSignal): Promise<void> {
  const body = chatBody('hi', false);
  while (!signal.aborted) {
    const response = await fetch(`${url}/v1/chat/completions`, { method: 'POST', body });
    const said = (await response.json()) as { error?: { retryable?: boolean } };
    if (response.status === 200) seen.answered += 1;
    else if (said.error?.retryable === true) seen.retriable += 1;
    else seen.other += 1;
    if (response.status !== 200) await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
