import type { Logger } from '../domain/logger.ts';
import type { GatewayMetrics } from '../telemetry/gateway-metrics.ts';
import { AppError } from '../runtime/app-error.ts';
import { systemClock } from '../runtime/clock.ts';
import { Admission } from './admission.ts';
import type { Backend } from './backend.ts';
import { LoginState } from './login-state.ts';
import type { GatewaySettings } from './gateway-settings.ts';
import { createModelCatalog, type ModelCatalog } from './model-catalog.ts';
import { planChat, type ChatPlan } from './plan-chat.ts';
import { planResponse, type ResponsePlan } from './plan-response.ts';
import { readinessReason, workerStatus, type ReadinessReason } from './readiness.ts';
import { ResponseThreads, type KeptResponse } from './response-threads.ts';
import type { ResponseStore } from '../store/sqlite/response-store.ts';
import { runChoice, type Choice, type ChoiceListener } from './run-choice.ts';
import type { ThreadFiles } from './thread-files.ts';
import type { ToolCall } from './turn.ts';

export interface GatewayDeps {
  readonly settings: GatewaySettings;
  readonly backend: Backend;
  readonly logger: Logger;
  readonly metrics: GatewayMetrics;
  readonly responses: ResponseStore;
  readonly threadFiles: ThreadFiles;
  /** Whether a login that was refused may be good again; asked now and then, as probes keep requests away meanwhile. */
  readonly isLoginRenewed: (signal: AbortSignal) => Promise<boolean>;
  /** There is no key at all. */
  readonly isLoginMissing: boolean;
  /** How often that is asked. */
  readonly loginProbeMs: number;
  /** What goes with the gateway, after it. */
  readonly held: AsyncDisposable;
}

/** Hears the pieces of a chat completion, each of one of its choices. */
export interface ChatListener {
  onText(index: number, text: string): void;
  onToolCall(index: number, call: ToolCall): void;
  onChoiceEnd(index: number, choice: Choice): void;
}

export interface GatewayHealth {
  readonly ok: boolean;
  readonly backend_mode: 'app-server' | 'exec';
  readonly app_server_enabled: boolean;
  readonly sandbox_mode: string;
  readonly worker_supervisor: Readonly<Record<string, unknown>>;
  readonly health: {
    readonly readiness: { readonly ready: boolean; readonly reason: ReadinessReason };
    readonly liveness: { readonly live: boolean; readonly reason: string };
  };
}

/** Chat and responses requests on Codex: planned, let in, carried out. The caller disposes it, after `drain`. */
export class Gateway implements AsyncDisposable {
  readonly settings: GatewaySettings;
  readonly metrics: GatewayMetrics;
  readonly catalog: ModelCatalog;
  readonly startedAtMs = systemClock();
  readonly #backend: Backend;
  readonly #logger: Logger;
  readonly #admission: Admission;
  readonly #threads: ResponseThreads;
  readonly #held: AsyncDisposable;
  readonly #login: LoginState;
  #isDraining = false;

  constructor(deps: GatewayDeps) {
    const { settings, backend, logger, metrics, held } = deps;
    this.#login = new LoginState(deps);
    this.#held = held;
    this.#threads = new ResponseThreads({ ...deps, retentionMs: settings.responseRetentionMs });
    this.settings = settings;
    this.metrics = metrics;
    this.catalog = createModelCatalog(settings.models, settings.model);
    this.#backend = backend;
    this.#logger = logger;
    this.#admission = new Admission({
      ...settings,
      limitMs: Math.min(settings.timeoutMs, settings.requestTimeoutMs),
      facts: () => this.#facts(),
    });
  }

  get readiness(): ReadinessReason {
    return readinessReason(this.#facts());
  }

  health(): GatewayHealth {
    const { settings, readiness: reason } = this;
    const ready = reason === 'ready';
    return {
      ok: ready,
      backend_mode: this.#backend.name,
      app_server_enabled: settings.useAppServer,
      sandbox_mode: settings.sandboxMode,
      worker_supervisor: workerStatus(this.#facts()),
      health: { readiness: { ready, reason }, liveness: { live: true, reason: 'alive' } },
    };
  }

  /** Throws `invalid_request_error` or `model_not_found`. */
  planChat(body: unknown): ChatPlan {
    return planChat(body, this.#planContext());
  }

  /** Throws `invalid_request_error` or `model_not_found`. */
  planResponse(body: unknown): ResponsePlan {
    return planResponse(body, this.#planContext());
  }

  /** All choices of a completion; the first that fails ends the others. Rejects as `Admission.run` and `runChoice` do. */
  async chat(
    plan: ChatPlan,
    { listener, signal }: { readonly listener: ChatListener; readonly signal: AbortSignal },
  ): Promise<readonly Choice[]> {
    const { idleTimeoutMs, streamIdleTimeoutMs } = this.settings;
    return this.#admit(signal, async (admitted) => {
      const failed = new AbortController();
      const choices = Array.from({ length: plan.choices }, async (_, index) => {
        const choice = await runChoice(this.#backend, {
          ...plan,
          idleMs: plan.stream ? streamIdleTimeoutMs : idleTimeoutMs,
          signal: AbortSignal.any([admitted, failed.signal]),
          listener: {
            onText: (text) => {
              listener.onText(index, text);
            },
            onToolCall: (call) => {
              listener.onToolCall(index, call);
            },
          },
        }).catch((error: unknown) => {
          failed.abort(error);
          throw error;
        });
        listener.onChoiceEnd(index, choice);
        return choice;
      });
      // All have ended before the slot is given back.
      const ended = await Promise.allSettled(choices);
      if (failed.signal.aborted) throw failed.signal.reason;
      return ended.flatMap((choice) => (choice.status === 'fulfilled' ? [choice.value] : []));
    });
  }

  /** One response, kept where its client wants that before this resolves. Rejects as `chat` does. */
  async respond(
    plan: ResponsePlan,
    { listener, signal }: { readonly listener: ChoiceListener; readonly signal: AbortSignal },
  ): Promise<Choice> {
    const { idleTimeoutMs, streamIdleTimeoutMs } = this.settings;
    const idleMs = plan.stream ? streamIdleTimeoutMs : idleTimeoutMs;
    return this.#admit(signal, async (admitted) => {
      const choice = await this.#threads.run(plan, (spec) =>
        runChoice(this.#backend, { ...plan, spec, idleMs, signal: admitted, listener }),
      );
      await this.#threads.save(plan, choice);
      return choice;
    });
  }

  /** A response that is kept. Rejects with `response_not_found`. */
  async findResponse(id: string): Promise<KeptResponse> {
    return this.#threads.find(id);
  }

  /** Rejects with `response_not_found`. */
  async removeResponse(id: string): Promise<void> {
    await this.#threads.remove(id);
  }

  /** Refuses new work, lets what is in flight finish within the grace, and ends the rest with a retriable error. */
  async drain(): Promise<void> {
    if (this.#isDraining) return;
    this.#isDraining = true;
    const { shutdownGraceMs } = this.settings;
    const inFlight = this.#admission.inFlight;
    this.#logger.info(
      { event: 'shutdown_initiated', inFlight, graceMs: shutdownGraceMs },
      'The gateway stops',
    );
    this.#backend.beginShutdown();
    await this.#admission.drain(shutdownGraceMs, (left) => {
      this.#logger.warn(
        { event: 'shutdown_grace_exceeded', inFlight: left, graceMs: shutdownGraceMs },
        'Requests that outlast the grace are ended',
      );
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.drain();
    this.#login[Symbol.dispose]();
    await this.#backend[Symbol.asyncDispose]();
    await this.#held[Symbol.asyncDispose]();
  }

  async #admit<T>(signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    try {
      const result = await this.#admission.run(signal, work);
      this.#login.accepted();
      return result;
    } catch (error) {
      if (error instanceof AppError && error.code === 'auth_required') this.#login.refused();
      throw error;
    }
  }

  #planContext() {
    const { model, maxChoices } = this.settings;
    return { catalog: this.catalog, model, maxChoices, nowMs: systemClock() };
  }

  #facts() {
    return {
      worker: this.#backend.snapshot(),
      isDraining: this.#isDraining,
      authRequired: this.#login.isRefused,
    };
  }
}
