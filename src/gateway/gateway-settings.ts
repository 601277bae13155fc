/** What the gateway is set to; durations in milliseconds. */
export interface GatewaySettings {
  readonly model: string;
  readonly models: readonly string[];
  readonly sandboxMode: 'read-only' | 'workspace-write';
  readonly useAppServer: boolean;
  readonly timeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly streamIdleTimeoutMs: number;
  readonly keepaliveMs: number;
  readonly maxConcurrency: number;
  readonly queueLimit: number;
  readonly queueWaitMs: number;
  readonly maxChoices: number;
  readonly shutdownGraceMs: number;
  readonly responseRetentionMs: number;
}
