import { once } from 'node:events';
import { Agent, request, type IncomingMessage } from 'node:http';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { scriptedAppServer } from '../test/support/scripted-app-server.ts';
import { chatBody, openBenchGateway } from './gateway-stage.ts';
import { below, type Figure } from './support/figure.ts';

const sizes = {
  full: { streams: 1000, requests: 10_000, warm: 8000 },
  tiny: { streams: 50, requests: 200, warm: 50 },
} as const;
const mb = 1024 * 1024;

export const gatewayMemory: Figure = {
  name: 'gateway-memory',
  about: `Memory of the process that holds the gateway and its HTTP clients (so both ends of every connection), with a scripted app-server: while 1,000 streams are open whose model says nothing more, and after 10,000 requests
in a row. After a garbage collection: the heap says whether anything is kept; RSS is for information: under load V8 doubles its young generation up to 128 MB and more, whatever is kept, and does not give it back.`,
  async run(context) {
    const { streams, requests, warm } = sizes[context.scale];
    await using child = await scriptedAppServer('good');
    await using sides = new AsyncDisposableStack();
    const { url } = await openBenchGateway(
      context,
      {
        baseUrl: 'http://127.0.0.1:9/v1',
        env: { CODEX_BIN: child.bin, WORKER_MAX_CONCURRENCY: String(streams + 1) },
      },
      sides,
    );
    const agent = new Agent({ keepAlive: true });
    sides.defer(() => {
      agent.destroy();
    });
    const ask = async (content: string, stream: boolean): Promise<IncomingMessage> => {
      const sent = request(`${url}/v1/chat/completions`, { method: 'POST', agent });
      sent.end(chatBody(content, stream));
      const [response] = (await once(sent, 'response')) as [IncomingMessage];
      if (response.statusCode !== 200) throw new Error(`status ${String(response.statusCode)}`);
      return response;
    };
    const inARow = async (count: number): Promise<void> => {
      for (let done = 0; done < count; done += 1) for await (const _chunk of await ask('hi', false));
    };
    await inARow(warm);
    const before = memory();
    await inARow(requests);
    const after = memory();

    const open: IncomingMessage[] = [];
    for (let opened = 0; opened < streams; opened += 1) open.push(await ask('hang-after-text', true));
    const held = memory();
    for (const stream of open) stream.destroy();
    const row = (what: keyof Memory, figure: string, [from, to]: readonly [Memory, Memory]) => ({
      figure: `${what} grown by ${figure} (${Math.round(from[what] / mb)} → ${Math.round(to[what] / mb)} MB)`,
      unit: 'MB',
      ours: (to[what] - from[what]) / mb,
      rival: null,
    });
    const inRow = `${requests} requests in a row`;
    return [
      below(row('heap', inRow, [before, after]), 5),
      { ...row('RSS', inRow, [before, after]), ratio: null, goal: '', met: null },
      below(row('RSS', `${streams} open idle streams`, [after, held]), 150),
    ];
  },
};

interface Memory {
  readonly heap: number;
  readonly RSS: number;
}

function memory(): Memory {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  const { heapUsed, rss } = process.memoryUsage();
  return { heap: heapUsed, RSS: rss };
}
