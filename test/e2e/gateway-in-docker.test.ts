import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { beforeAll, expect, test } from 'vitest';
import { isDead, readProcessStat } from '../../src/runtime/process-stat.ts';
import { startScriptedModel, type ScriptedModel } from '../scripted-model/start-scripted-model.ts';
import { docker, dockerSays } from '../support/docker/docker.ts';
import { hostAddress } from '../support/docker/host-address.ts';
import { contained } from '../support/docker/run-contained.ts';
import { imageLimitMs, workerImage } from '../support/docker/worker-image.ts';
import { dataFrames } from '../support/gateway-stage.ts';
import { needs } from '../support/needs.ts';

const run = promisify(execFile);
const apiKey = 'a-key-of-the-gateway-in-docker';
const lookMs = 50;
const limitMs = 60_000;

interface Contained extends AsyncDisposable {
  readonly id: string;
  readonly url: string;
  /** The processes in it, by their ids on this machine. */
  processes(): Promise<readonly number[]>;
  /** Starts a stream whose end the model holds back. */
  stream(): Promise<Response>;
  whenReadyz(reason: string): Promise<void>;
  /** Its exit code, once it has ended. */
  ended(): Promise<number>;
}

const scenario = {
  conversations: [
    { when: 'held', turns: [{ text: 'in flight', gates: { end: 'end' } }] },
    { turns: [{ text: 'hello' }] },
  ],
};

async function openGateway(image: string, model: ScriptedModel, graceMs: number): Promise<Contained> {
  const environment = {
    CAPSTAN_DATA: '/home/capstan/data',
    CAPSTAN_CODEX__BASE_URL: model.baseUrl,
    CAPSTAN_GATEWAY__API_KEY: apiKey,
    CAPSTAN_GATEWAY__SHUTDOWN_GRACE: `${String(graceMs)}ms`,
    OPENAI_API_KEY: 'sk-gateway-in-docker',
  };
  await using opening = new AsyncDisposableStack();
  const id = await docker(
    'run',
    '--detach',
    ...contained(),
    ...['--publish', '127.0.0.1::11435'],
    ...Object.entries(environment).flatMap(([name, value]) => ['--env', `${name}=${value}`]),
    image,
    'gateway',
  );
  opening.defer(async () => {
    await docker('rm', '--force', '--volumes', id);
  });
  const [address = ''] = (await docker('port', id, '11435')).split('\n');
  const url = `http://${address}`;
  const headers = { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' };
  const gateway: Contained = {
    id,
    url,
    async processes() {
      const lines = (await docker('top', id, '-eo', 'pid')).split('\n').slice(1);
      return lines.map(Number);
    },
    stream: () =>
      fetch(`${url}/v1/chat/completions`, {
        method: 'POST',
        headers,
        body: JSON.stringify({
          model: 'codex-5',
          stream: true,
          messages: [{ role: 'user', content: 'held' }],
        }),
      }),
    async whenReadyz(reason) {
      const limit = AbortSignal.timeout(limitMs);
      const ask = async (): Promise<string> =>
        ((await (await fetch(`${url}/readyz`)).json()) as { readonly reason: string }).reason;
      // Until it listens the engine takes connections and breaks them off.
      for (let said = await ask().catch(String); said !== reason; said = await ask().catch(String)) {
        if (limit.aborted) throw new Error(`not ${reason} but ${said}: ${await logsOf(id)}`);
        await new Promise((resolve) => setTimeout(resolve, lookMs));
      }
    },
    ended: async () => Number(await docker('wait', id)),
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
  await gateway.whenReadyz('ready');
  const held = opening.move();
  return gateway;
}

/** What the engine asks every few seconds. */
function healthcheck({ id }: Contained): readonly string[] {
  return ['exec', id, 'node', '/usr/local/lib/healthy.js'];
}

/** What it said on both streams. */
function logsOf(id: string): Promise<string> {
  return run('sh', ['-c', 'docker logs "$0" 2>&1 | tail -20', id]).then(({ stdout }) => stdout);
}

function isAlive(pid: number): boolean {
  const stat = readProcessStat(pid);
  return stat !== null && !isDead(stat);
}

needs('docker').describe('the gateway in a container', () => {
  let image = '';
  beforeAll(async () => {
    image = await workerImage('service');
  }, imageLimitMs);

  test('docker stop: a stream in flight finishes, the exit code is 0, and no process is left', async () => {
    await using model = await startScriptedModel({ scenario, host: await hostAddress() });
    await using gateway = await openGateway(image, model, limitMs);
    model.hold('end');
    const stream = await gateway.stream();
    await model.waitAtGate('end');
    const processes = await gateway.processes();
    expect(processes.length).toBeGreaterThan(2);
    expect(await dockerSays(...healthcheck(gateway))).toBe(true);
    const stopped = docker('stop', '--time', '60', gateway.id);
    await gateway.whenReadyz('shutdown_in_progress');
    expect(await dockerSays(...healthcheck(gateway))).toBe(false);
    model.release('end');
    const frames = dataFrames(await stream.text());
    expect(frames.join('\n')).toContain('in flight');
    expect(frames.at(-1)).toBe('[DONE]');
    await stopped;
    expect(await gateway.ended()).toBe(0);
    expect(processes.filter(isAlive)).toEqual([]);
  });

  test('docker stop: what outlasts the grace gets an error frame and [DONE], and the exit code is 0', async () => {
    await using model = await startScriptedModel({ scenario, host: await hostAddress() });
    await using gateway = await openGateway(image, model, 200);
    model.hold('end');
    const stream = await gateway.stream();
    await model.waitAtGate('end');
    const stopped = docker('stop', '--time', '60', gateway.id);
    const frames = dataFrames(await stream.text());
    expect(frames.at(-2)).toContain('worker_exited');
    expect(frames.at(-1)).toBe('[DONE]');
    await stopped;
    expect(await gateway.ended()).toBe(0);
  });

  test("SIGTERM, then SIGKILL after the orchestrator's grace: not ready while it drains, and nothing is left", async () => {
    await using model = await startScriptedModel({ scenario, host: await hostAddress() });
    await using gateway = await openGateway(image, model, limitMs);
    model.hold('end');
    const stream = await gateway.stream();
    await model.waitAtGate('end');
    const processes = await gateway.processes();
    await docker('kill', '--signal', 'TERM', gateway.id);
    await gateway.whenReadyz('shutdown_in_progress');
    expect((await fetch(`${gateway.url}/readyz`)).status).toBe(503);
    expect((await gateway.stream()).status).toBe(503);
    await docker('kill', '--signal', 'KILL', gateway.id);
    expect(await gateway.ended()).toBe(137);
    await expect(stream.text()).rejects.toThrow();
    expect(processes.filter(isAlive)).toEqual([]);
  });
});
