import { requireChecks } from '../../codex/check.ts';
import { preflight, type Preflight } from '../../codex/preflight.ts';
import { AppError } from '../../runtime/app-error.ts';
import type { Capstan } from '../open-capstan.ts';

type Examined = Pick<Capstan, 'config' | 'profile' | 'commandPath'>;

/** Looks at all that codex jobs need, with the settings as they are. */
export async function examineCodex(
  { config, profile, commandPath }: Examined,
  signal: AbortSignal,
): Promise<Preflight> {
  const { bin, home, sandboxMode, auth, baseUrl } = config.codex;
  const { openaiApiKey, through } = profile;
  const upstream = auth === 'home' ? null : { baseUrl, apiKey: openaiApiKey?.reveal() ?? '', through };
  return preflight({ bin, path: commandPath, codexHome: home, sandboxMode, upstream, signal });
}

/** Rejects where no codex job could run. */
export async function requireCodex(examined: Examined, signal: AbortSignal): Promise<void> {
  requireChecks((await examineCodex(examined, signal)).checks);
}

/** The profile has no key for the model. */
export function noKey(): AppError {
  return new AppError('configuration', 'no_key', 'There is no key for the model: the profile has none.', {
    hint: 'Set OPENAI_API_KEY, or log in and set codex.auth = home.',
  });
}
