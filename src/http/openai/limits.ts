import type { Config } from '../../config/settings.ts';
import type { OpenAiDeps } from './deps.ts';

/** What of the settings is about requests and not about Codex. */
export function openAiLimits(
  settings: Config['gateway'],
): Pick<OpenAiDeps, 'limits'> & { readonly isMetricsEnabled: boolean } {
  const { maxBodyBytes, rateLimitEnabled, rateLimitMax, rateLimitWindowMs, enableMetrics } = settings;
  const rate = rateLimitEnabled ? { max: rateLimitMax, windowMs: rateLimitWindowMs } : null;
  return { limits: { maxBodyBytes, rate }, isMetricsEnabled: enableMetrics };
}
