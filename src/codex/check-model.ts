import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { AppError } from '../runtime/app-error.ts';
import { deferred } from '../runtime/wait.ts';
import { failed, passed, warned, type Check } from './check.ts';
import { createProviderAgents, type ProviderAgents } from './model-proxy/provider-agents.ts';
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
    return await ask(base, upstream, signal);
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    const message = `The model endpoint at ${base.origin} could not be reached (${reason(error)}).`;
    const hint = 'Check the network and codex.base_url; jobs are tried again until it answers.';
    return warned(name, new AppError('infrastructure', 'model_unreachable', message, { hint }));
  }
}

async function ask(base: URL, { apiKey, through }: Upstream, signal: AbortSignal): Promise<Check> {
  using agents = createProviderAgents(through);
  const url = endpointUrl(base, '/models', '');
  const { status, body } = await get(url, {
    apiKey,
    agents,
    signal: AbortSignal.any([signal, AbortSignal.timeout(limitMs)]),
  });
  const isRefusal = status === 401 || (status === 403 && !lacksScope(body));
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

interface Asking {
  readonly apiKey: string;
  readonly agents: ProviderAgents;
  readonly signal: AbortSignal;
}

/** The status, and as much of the body as says why; no redirect is followed. */
async function get(
  url: URL,
  { apiKey, agents, signal }: Asking,
): Promise<{ readonly status: number; readonly body: string }> {
  const answered = deferred<IncomingMessage>();
  const options = {
    headers: { authorization: `Bearer ${apiKey}`, accept: 'application/json' },
    signal,
    timeout: limitMs,
  };
  const request =
    url.protocol === 'https:'
      ? httpsRequest(url, { ...options, agent: agents.https })
      : httpRequest(url, { ...options, agent: agents.http });
  request.once('response', answered.resolve);
  request.on('error', answered.reject);
  // Before there is a socket, an abort is not told.
  const onAbort = (): void => {
    answered.reject(signal.reason);
  };
  signal.addEventListener('abort', onAbort, { once: true });
  request.once('close', () => {
    signal.removeEventListener('abort', onAbort);
  });
  request.end();
  const response = await answered.promise;
  let body = '';
  try {
    for await (const piece of response.setEncoding('utf8')) {
      body += piece as string;
      if (body.length >= maxBodyChars) break;
    }
  } catch (error) {
    // Its status was said: a body that breaks off takes nothing of that back.
    if (signal.aborted) throw error;
  }
  request.destroy();
  return { status: response.statusCode ?? 0, body: body.slice(0, maxBodyChars) };
}

/** The code alone: messages of the HTTP client may quote headers. */
function reason(error: unknown): string {
  const { name, code, cause } = error instanceof Error ? (error as NodeJS.ErrnoException) : {};
  const why = cause instanceof Error ? cause.name : name;
  if (why === 'TimeoutError') return 'no answer in time';
  return typeof code === 'string' ? code : 'unknown';
}
