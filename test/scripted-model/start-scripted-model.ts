import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Gates } from './gates.ts';
import { ModelEndpoint } from './model-endpoint.ts';
import { WaitableLog } from './request-log.ts';
import type { RecordedRequest, WaitOptions } from './request-log.ts';
import { parseScenario } from './scenario.ts';
import type { ScenarioInput } from './scenario.ts';
import { Script } from './choose-turn.ts';

export interface ScriptedModelOptions {
  readonly scenario: ScenarioInput;
  /** The address to listen on; loopback when left out. */
  readonly host?: string;
  /** 0, any free one, when left out. */
  readonly port?: number;
  /** The keys that are accepted; any is when left out. */
  readonly acceptedKeys?: readonly string[];
  /** How many requests are remembered; 500 when left out. */
  readonly keepRequests?: number;
}

export interface ScriptedModel extends AsyncDisposable {
  /** What goes into a provider's `base_url`; ends in `/v1`. */
  readonly baseUrl: string;
  readonly port: number;
  readonly requests: readonly RecordedRequest[];
  /** What the scripts had no answer for; a test that means its scenario finds this empty. */
  readonly problems: readonly string[];
  readonly openStreams: number;
  readonly usage: Readonly<UsageTotals>;
  waitForRequest(
    wanted: (request: RecordedRequest) => boolean,
    options?: WaitOptions,
  ): Promise<RecordedRequest>;
  hold(gate: string): void;
  release(gate: string): void;
  /** Lets one waiting reply pass a gate that stays held. */
  step(gate: string): void;
  /** Resolves when a reply waits at the gate. */
  waitAtGate(gate: string, options?: WaitOptions): Promise<void>;
  /** Resolves when no stream is open. */
  waitForIdle(options?: WaitOptions): Promise<void>;
  setScenario(scenario: ScenarioInput): void;
  setAcceptedKeys(keys: readonly string[] | undefined): void;
  /** Breaks every open stream off and stops listening. */
  close(): Promise<void>;
}

export interface UsageTotals {
  replies: number;
  input: number;
  cached: number;
  output: number;
  reasoning: number;
}

/** Starts the model; the caller owns it. */
export async function startScriptedModel(options: ScriptedModelOptions): Promise<ScriptedModel> {
  const arrivals = new WaitableLog<string>(0);
  const gates = new Gates((name) => {
    arrivals.add(name);
  });
  const log = new WaitableLog<RecordedRequest>(options.keepRequests ?? 500);
  const idle = new WaitableLog<true>(0);
  const onIdle = (): void => {
    idle.add(true);
  };
  const endpoint = new ModelEndpoint({
    gates,
    log,
    onIdle,
    script: new Script(parseScenario(options.scenario)),
  });
  endpoint.acceptedKeys = options.acceptedKeys;
  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    void endpoint.answer(request, response);
  });
  const { host = '127.0.0.1' } = options;
  server.listen(options.port ?? 0, host);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;

  let closed: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closed ??= new Promise((resolve) => {
      server.close(() => {
        resolve();
      });
      server.closeAllConnections();
    });
    return closed;
  };
  return {
    baseUrl: `http://${host}:${String(port)}/v1`,
    port,
    requests: log.entries,
    problems: endpoint.problems,
    usage: endpoint.usage,
    get openStreams() {
      return endpoint.openStreams;
    },
    waitForRequest: (wanted, waitOptions) => log.wait('such request', wanted, waitOptions),
    hold: (gate) => {
      gates.hold(gate);
    },
    release: (gate) => {
      gates.release(gate);
    },
    step: (gate) => {
      gates.step(gate);
    },
    waitAtGate: async (gate, waitOptions) => {
      if (gates.waiting(gate).length > 0) return;
      await arrivals.wait(`reply at the gate "${gate}"`, (name) => name === gate, waitOptions);
    },
    waitForIdle: async (waitOptions) => {
      if (endpoint.openStreams > 0) await idle.wait('end of its streams', () => true, waitOptions);
    },
    setScenario: (scenario) => {
      endpoint.script = new Script(parseScenario(scenario));
    },
    setAcceptedKeys: (keys) => {
      endpoint.acceptedKeys = keys;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
