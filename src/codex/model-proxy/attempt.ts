import { createHash, randomBytes } from 'node:crypto';
import type { Usage } from '../../contract/job.ts';
import { AppError } from '../../runtime/app-error.ts';
import type { AuthFault, ProxyFault } from './fault.ts';
import { parseUpstream, type Upstream } from './upstream.ts';

const maxFaults = 50;

export interface OpenAttempt {
  readonly attemptId: string;
  readonly upstream: Upstream;
  /** The sum so far, after each response that says what it used. */
  readonly onUsage?: (usage: Usage) => void;
  /** Each fault as it is seen; a refused key only once. */
  readonly onFault?: (fault: ProxyFault) => void;
}

/** One attempt's way to its model: the token it shows, where it leads, what it used and what went wrong. */
export class ProxyAttempt {
  readonly id: string;
  readonly token: string;
  readonly apiKey: string;
  readonly base: URL;
  readonly #options: OpenAttempt;
  readonly #exchanges = new Set<AbortController>();
  #usage: Usage = { inputTokens: 0, cachedInputTokens: 0, outputTokens: 0 };
  #refused: AuthFault | null = null;
  #faults: readonly ProxyFault[] = [];

  constructor(options: OpenAttempt) {
    this.base = parseUpstream(options.upstream);
    this.id = options.attemptId;
    this.apiKey = options.upstream.apiKey;
    this.token = `capstan-${randomBytes(32).toString('base64url')}`;
    this.#options = options;
  }

  get usage(): Usage {
    return this.#usage;
  }

  /** A refused key, then what went wrong since the last response that went well. */
  get faults(): readonly ProxyFault[] {
    return this.#refused === null ? this.#faults : [this.#refused, ...this.#faults];
  }

  /** Set once the provider refused the key: nothing more is asked of it. */
  get refused(): AuthFault | null {
    return this.#refused;
  }

  get active(): number {
    return this.#exchanges.size;
  }

  /** An exchange in progress; its signal aborts when the attempt is closed. Whoever begins it ends it. */
  begin(): AbortController {
    const exchange = new AbortController();
    this.#exchanges.add(exchange);
    return exchange;
  }

  end(exchange: AbortController): void {
    this.#exchanges.delete(exchange);
  }

  addUsage(usage: Usage): void {
    this.#usage = {
      inputTokens: this.#usage.inputTokens + usage.inputTokens,
      cachedInputTokens: this.#usage.cachedInputTokens + usage.cachedInputTokens,
      outputTokens: this.#usage.outputTokens + usage.outputTokens,
    };
    this.#options.onUsage?.(this.#usage);
  }

  addFault(fault: ProxyFault): void {
    if (fault.kind !== 'auth') this.#faults = [...this.#faults, fault].slice(-maxFaults);
    else if (this.#refused === null) this.#refused = fault;
    else return;
    this.#options.onFault?.(fault);
  }

  /** A response went well: what failed before it was overcome, and explains nothing that comes after. */
  recover(): void {
    this.#faults = [];
  }

  close(): void {
    const reason = new AppError('cancelled', 'attempt_closed', `Attempt ${this.id} is closed.`);
    for (const exchange of this.#exchanges) exchange.abort(reason);
  }
}

/** Tokens are looked up by digest, so that the time of a lookup says nothing about them. */
export function tokenDigest(token: string): string {
  return createHash('sha256').update(token).digest('base64');
}
