import { homedir } from 'node:os';
import { loadConfig } from '../../src/config/load-config.ts';
import type { Gateway } from '../../src/gateway/gateway.ts';
import { openGateway } from '../../src/gateway/open-gateway.ts';
import { buildGatewayServer } from '../../src/http/build-gateway-server.ts';
import { openAiLimits } from '../../src/http/openai/limits.ts';
import { listen } from '../../src/http/listen.ts';
import { Secret } from '../../src/runtime/secret.ts';
import { createLogger } from '../../src/telemetry/create-logger.ts';
import { WaitableLog } from '../scripted-model/request-log.ts';
import type { ScenarioInput } from '../scripted-model/scenario.ts';
import { startScriptedModel, type ScriptedModel } from '../scripted-model/start-scripted-model.ts';
import { tempDir, type TempDir } from './temp-dir.ts';

export const gatewayKey = 'sk-gateway-upstream-7c31';

export interface LogLine {
  readonly event?: string;
  readonly level?: string;
  readonly [field: string]: unknown;
}

/** A running gateway with the real Codex, or a scripted child in its place, on a scripted model, over real HTTP. */
export interface GatewayStage extends AsyncDisposable {
  readonly url: string;
  readonly model: ScriptedModel;
  readonly gateway: Gateway;
  readonly dir: TempDir;
  readonly logText: () => string;
  readonly logLines: readonly LogLine[];
  /** A log line of this event that was or will be, the `count`th. */
  logged(event: string, count?: number): Promise<LogLine>;
  whenReady(): Promise<void>;
  post(path: string, body: unknown, init?: RequestInit): Promise<Response>;
  chat(body?: object, init?: RequestInit): Promise<Response>;
  /** Stops the gateway and starts another on the same data. */
  restart(): Promise<void>;
}

export interface GatewayStageOptions {
  readonly scenario?: ScenarioInput;
  /** Settings, in the environment's words. */
  readonly env?: Readonly<Record<string, string>>;
  /** The PATH of Codex and its commands; that of the tests when left out. */
  readonly commandPath?: string;
  /** Called before the gateway starts. */
  readonly prepare?: (dir: TempDir, model: ScriptedModel) => Promise<void>;
  /** The key for the model; null: there is none. */
  readonly key?: string | null;
  /** Do not wait until it is ready. */
  readonly isReadyAwaited?: boolean;
}

const hello: ScenarioInput = { conversations: [{ turns: [{ text: 'Hello from the model.' }] }] };

export async function openGatewayStage(options: GatewayStageOptions = {}): Promise<GatewayStage> {
  await using stack = new AsyncDisposableStack();
  const dir = stack.use(await tempDir('cache'));
  const model = stack.use(await startScriptedModel({ scenario: options.scenario ?? hello }));
  await options.prepare?.(dir, model);
  const lines = new WaitableLog<LogLine>(100_000);
  let text = '';
  const logger = createLogger({
    level: 'debug',
    format: 'json',
    destination: {
      write: (line) => {
        text += line;
        lines.add(JSON.parse(line) as LogLine);
      },
    },
  });
  const environment = {
    CAPSTAN_DATA: dir.path,
    CAPSTAN_CODEX__BASE_URL: model.baseUrl,
    CAPSTAN_GATEWAY__PORT: '0',
    CODEX_HOME: dir.join('login'),
    ...options.env,
  };
  const paths = {
    home: homedir(),
    userConfigFile: dir.join('user.toml'),
    systemConfigFile: dir.join('system.toml'),
    userDataDir: dir.path,
  };
  const { config } = loadConfig({ flags: {}, environment, cwd: dir.path, paths });

  const key = options.key === undefined ? gatewayKey : options.key;
  const open = async () => {
    await using opening = new AsyncDisposableStack();
    const gateway = opening.use(
      await openGateway(
        {
          config,
          profile: { openaiApiKey: key === null ? null : new Secret(key) },
          commandPath: options.commandPath ?? process.env['PATH'] ?? '',
          logger,
        },
        AbortSignal.timeout(20_000),
      ),
    );
    const { gateway: settings } = config;
    const server = await buildGatewayServer({
      gateway,
      logger,
      guard: {
        host: settings.host,
        apiKey: settings.apiKey?.reveal() ?? null,
        allowedHosts: [],
        allowedOrigins: [],
      },
      ...openAiLimits(settings),
    });
    opening.defer(() => server.close());
    const url = await listen(server, settings);
    return { gateway, url, held: opening.move() };
  };

  let running = await open();
  stack.defer(() => running.held.disposeAsync());
  const stage: GatewayStage = {
    get url() {
      return running.url;
    },
    get gateway() {
      return running.gateway;
    },
    model,
    dir,
    logText: () => text,
    get logLines() {
      return lines.entries;
    },
    async logged(event, count = 1) {
      return lines.wait(`log line ${event} number ${count}`, (line) => {
        const all = lines.entries.filter((entry) => entry.event === event);
        return line.event === event && all.indexOf(line) === count - 1;
      });
    },
    async whenReady() {
      const limit = AbortSignal.timeout(20_000);
      while (running.gateway.readiness !== 'ready') {
        limit.throwIfAborted();
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    },
    post: (path, body, init = {}) =>
      fetch(`${running.url}${path}`, {
        method: 'POST',
        body: typeof body === 'string' ? body : JSON.stringify(body),
        ...init,
        headers: {
          'content-type': 'application/json',
          ...(init.headers as Record<string, string> | undefined),
        },
      }),
    chat: (body = {}, init = {}) =>
      stage.post(
        '/v1/chat/completions',
        { model: 'codex-5', messages: [{ role: 'user', content: 'hi' }], ...body },
        init,
      ),
    async restart() {
      await running.held.disposeAsync();
      running = await open();
      await stage.whenReady();
    },
    async [Symbol.asyncDispose]() {
      await held.disposeAsync();
    },
  };
  if (options.isReadyAwaited !== false) await stage.whenReady();
  const held = stack.move();
  return stage;
}

/** What follows `data: ` in each frame of an event stream. */
export function dataFrames(text: string): readonly string[] {
  return text
    .split('\n\n')
    .flatMap((frame) => frame.split('\n'))
    .flatMap((line) => (line.startsWith('data: ') ? [line.slice(6)] : []));
}

export interface ErrorBody {
  readonly error: {
    readonly code: string;
    readonly type: string;
    readonly message: string;
    readonly param: string | null;
    readonly retryable?: boolean;
    readonly worker_status?: { readonly reason: string };
  };
}

export async function errorOf(response: Response): Promise<ErrorBody['error']> {
  return ((await response.json()) as ErrorBody).error;
}
