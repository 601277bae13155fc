import type { Logger } from '../../domain/logger.ts';
import type { Gateway } from '../../gateway/gateway.ts';
import type { GuardSettings } from '../guard.ts';

export interface OpenAiDeps {
  readonly gateway: Gateway;
  readonly logger: Logger;
  /** Whose pages and hosts may call, and with what key. */
  readonly guard: GuardSettings;
  readonly limits: {
    readonly maxBodyBytes: number;
    /** Null: requests are not counted. */
    readonly rate: { readonly max: number; readonly windowMs: number } | null;
  };
}
