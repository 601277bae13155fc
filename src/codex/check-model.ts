import { AppError } from '../runtime/app-error.ts';
import { failed, passed, warned, type Check } from './check.ts';
import { endpointUrl, parseUpstream, type Upstream } from './model-proxy/upstream.ts';

const name = 'model';
const limitMs = 10_000;
const maxBodyChars = 4000;
const giveKeyHint = 'Set the environment variable OPENAI_API_KEY, or use a login with codex.auth = home.';

/** Whether the provider takes the key: `GET {base}/models`, the one request that it can refuse and that costs nothing. */
export async function checkModel(upstream: Upstream, signal: AbortSignal): Promise<Check> {
  let base: URL;
  try {
    base = parseUpstream(upstream);
  } catch (error) {
    if (error instanceof AppError) return failed(name, error);
    throw error;
  }
  if (upstream.apiKey === '') {
    const message = 'There is no key for the model provider.';
    return failed(name, new AppError('configuration', 'no_key', message, { hint: giveKeyHint }));
  }
  try {
    return await ask(base, upstream.apiKey, signal);
  } catch (error) {
    if (signal.aborted) throw error;
    const message = `The model endpoint at ${base.origin} could not be reached (${reason(error)}).`;
    const hint = 'Check the network and codex.base_url; jobs are tried again until it answers.';
    return warned(name, new AppError('infrastructure', 'model_unreachable', message, { hint }));
  }
}

async function ask(base: URL, apiKey: string, signal: AbortSignal): Promise<Check> {
  const response = await fetch(endpointUrl(base, '/models', ''), {
    headers: { authorization: `Bearer ${apiKey}` },
    redirect: 'manual',
    signal: AbortSignal.any([signal, AbortSignal.timeout(limitMs)]),
  });
  const { status } = response;
  const isRefusal = status === 401 || (status === 403 && !lacksScope(await textOf(response)));
  await response.body?.cancel().catch(() => undefined);
  if (isRefusal) {
    const message = `The provider at ${base.origin} refused the key (${String(status)}).`;
    return failed(name, new AppError('auth', 'key_refused', message, { hint: giveKeyHint }));
  }
  if (status >= 300 && status < 400) {
    const message = `The model endpoint at ${base.origin} answers with a redirect (${String(status)}), which is not followed.`;
    const hint = 'Set codex.base_url to where it leads.';
    return failed(name, new AppError('configuration', 'endpoint_redirects', message, { hint }));
  }
  if (status === 429 || status >= 500) {
    const message = `The model endpoint at ${base.origin} answers ${String(status)}.`;
    return warned(
      name,
      new AppError('infrastructure', 'model_failed', message, { hint: 'Jobs are tried again.' }),
    );
  }
  const note = status < 300 ? 'accepts the key' : `answers, but does not list its models (${String(status)})`;
  return passed(name, `${base.origin} ${note}`);
}

/** A key may be good for responses and not for this list: OpenAI then answers 403 and names the missing scope. */
function lacksScope(body: string): boolean {
  return /missing scopes|insufficient permissions/i.test(body);
}

async function textOf(response: Response): Promise<string> {
  const text = await response.text();
  return text.slice(0, maxBodyChars);
}

/** The code alone: messages of the HTTP client may quote headers. */
function reason(error: unknown): string {
  if (error instanceof Error && error.name === 'TimeoutError') return 'no answer in time';
  const cause = error instanceof Error ? error.cause : undefined;
  if (cause instanceof Error && 'code' in cause && typeof cause.code === 'string') return cause.code;
  return 'unknown';
}
