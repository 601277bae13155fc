import { AppError } from '../../runtime/app-error.ts';
import type { ProxyEnvironment } from './provider-agents.ts';

/** Where the model is and the key it wants; an empty key sends none. */
export interface Upstream {
  readonly baseUrl: string;
  readonly apiKey: string;
  /** Which proxy leads there; none: directly. */
  readonly through?: ProxyEnvironment | undefined;
}

/**
 * The provider's base URL, checked.
 * @throws AppError `base_url_invalid`, `key_invalid`, kind `configuration`; neither message holds a secret
 */
export function parseUpstream(upstream: Upstream): URL {
  const hint = 'Set codex.base_url to something like https://api.openai.com/v1.';
  if (!URL.canParse(upstream.baseUrl)) {
    throw new AppError('configuration', 'base_url_invalid', "The model's base URL is not a URL.", { hint });
  }
  const url = new URL(upstream.baseUrl);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new AppError(
      'configuration',
      'base_url_invalid',
      "The model's base URL is neither http nor https.",
      {
        hint,
      },
    );
  }
  if (url.username !== '' || url.password !== '') {
    throw new AppError(
      'configuration',
      'base_url_invalid',
      "The model's base URL holds a user or password.",
      {
        hint: 'Take it out of codex.base_url and give the key as OPENAI_API_KEY.',
      },
    );
  }
  if (!/^[\x21-\x7e]*$/.test(upstream.apiKey)) {
    throw new AppError(
      'configuration',
      'key_invalid',
      'The provider key holds a blank or a control character.',
      {
        hint: 'Check OPENAI_API_KEY for a line break or a quote that was copied along with it.',
      },
    );
  }
  return url;
}

/** The URL of one endpoint under the base; queries of both are kept. */
export function endpointUrl(base: URL, endpoint: string, search: string): URL {
  const url = new URL(base);
  let path = url.pathname;
  while (path.endsWith('/')) path = path.slice(0, -1);
  url.pathname = `${path}${endpoint}`;
  for (const [name, value] of new URLSearchParams(search)) url.searchParams.append(name, value);
  url.hash = '';
  return url;
}
