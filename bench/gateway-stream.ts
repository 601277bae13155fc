import { startGateway, startRaw, type Ask } from './gateway-overhead.ts';
import { atLeast, type Figure } from './support/figure.ts';
import { startModel } from './support/model.ts';
import { median } from './support/statistics.ts';

const sizes = { full: { tokens: 4000, rounds: 7 }, tiny: { tokens: 200, rounds: 1 } } as const;
const token = 'word ';

export const gatewayStream: Figure = {
  name: 'gateway-stream',
  about: `A long answer, each token a piece of its own and the model as fast as it can: tokens a second from the first piece to the end, streamed by the gateway over HTTP to a client in a process of its own, over the same read from an app-server directly.
Rounds of both alternate; medians.`,
  async run(context) {
    const { tokens, rounds } = sizes[context.scale];
    await using model = await startModel(context.dir, {
      conversations: [{ turns: [{ text: token.repeat(tokens), chunkChars: token.length }] }],
    });
    await using sides = new AsyncDisposableStack();
    const gateway = await startGateway(context, model.baseUrl, sides);
    const raw = await startRaw(context, model.baseUrl, sides);
    const [ours, theirs]: [number[], number[]] = [[], []];
    const rate = async (ask: Ask): Promise<number> => {
      const [timing] = await ask(1, 1);
      if (timing === undefined) throw new Error('no answer');
      return (tokens / (timing.end - timing.first)) * 1000;
    };
    for (const ask of [gateway, raw]) await ask(1, 1);
    for (let round = 0; round < rounds; round += 1) {
      ours.push(await rate(gateway));
      theirs.push(await rate(raw));
    }
    const figure = 'tokens a second of a long stream';
    return [atLeast({ figure, unit: '/s', ours: median(ours), rival: median(theirs) }, 0.95)];
  },
};
