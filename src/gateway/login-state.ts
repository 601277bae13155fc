import type { Logger } from '../domain/logger.ts';

export interface LoginStateOptions {
  readonly logger: Logger;
  /** Whether a login that was refused may be good again. */
  readonly isLoginRenewed: (signal: AbortSignal) => Promise<boolean>;
  readonly loginProbeMs: number;
  /** There is none: refused from the start, until the process is started again. */
  readonly isLoginMissing: boolean;
}

/** Whether the provider refuses the login: said by requests, taken back by the first that works or by a look now and then. */
export class LoginState implements Disposable {
  readonly #options: LoginStateOptions;
  readonly #over = new AbortController();
  #timer: NodeJS.Timeout | null = null;

  constructor(options: LoginStateOptions) {
    this.#options = options;
    if (options.isLoginMissing)
      this.#refuse('There is no key for the model: set OPENAI_API_KEY and start the gateway again');
  }

  get isRefused(): boolean {
    return this.#timer !== null;
  }

  refused(): void {
    this.#refuse('The provider refuses the login; requests fail until it is renewed');
  }

  #refuse(why: string): void {
    if (this.#timer !== null || this.#over.signal.aborted) return;
    this.#options.logger.error({ event: 'auth_required' }, why);
    this.#timer = setInterval(() => {
      void this.#look();
    }, this.#options.loginProbeMs);
    this.#timer.unref();
  }

  accepted(): void {
    if (this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
    this.#options.logger.info({ event: 'auth_renewed' }, 'The login works again');
  }

  [Symbol.dispose](): void {
    this.#over.abort();
    if (this.#timer !== null) clearInterval(this.#timer);
  }

  async #look(): Promise<void> {
    try {
      if (await this.#options.isLoginRenewed(this.#over.signal)) this.accepted();
    } catch (error) {
      if (!this.#over.signal.aborted)
        this.#options.logger.debug({ err: error }, 'Could not see whether the login is good again');
    }
  }
}
