import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';
import { maskText } from './mask-secret.ts';

/** RFC 9110 7.6.1: they concern one connection only. */
const hopByHop = [
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
];

/** Credentials other than the profile's, and what would name this machine, another account or the proxy itself. */
const notForUpstream = new Set([
  ...hopByHop,
  'host',
  'expect',
  'authorization',
  'api-key',
  'x-api-key',
  'cookie',
  'forwarded',
  'via',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-real-ip',
  'chatgpt-account-id',
  'openai-organization',
  'openai-project',
  'accept-encoding',
]);

/** What concerns the upstream's connection, or names the account behind the key. */
const notForClient = new Set([
  ...hopByHop,
  'set-cookie',
  'alt-svc',
  'strict-transport-security',
  'openai-organization',
  'openai-project',
  'www-authenticate',
]);

/** The headers of a request as the provider gets it: the client's own, without identity, with the provider's key. */
export function upstreamHeaders(headers: IncomingHttpHeaders, apiKey: string): OutgoingHttpHeaders {
  const passed = without(headers, notForUpstream);
  // The meter reads the stream as it passes, so it must not be compressed.
  passed['accept-encoding'] = 'identity';
  if (apiKey !== '') passed.authorization = `Bearer ${apiKey}`;
  return passed;
}

/** The headers of a response as the agent's side gets it; the key is masked should the provider echo it. */
export function clientHeaders(headers: IncomingHttpHeaders, apiKey: string): OutgoingHttpHeaders {
  const passed = without(headers, notForClient);
  for (const [name, value] of Object.entries(passed)) {
    if (typeof value === 'string') passed[name] = maskText(value, apiKey);
    else if (Array.isArray(value)) passed[name] = value.map((one) => maskText(one, apiKey));
  }
  return passed;
}

function without(headers: IncomingHttpHeaders, dropped: ReadonlySet<string>): OutgoingHttpHeaders {
  const named = new Set((headers.connection ?? '').split(',').map((name) => name.trim().toLowerCase()));
  const kept: OutgoingHttpHeaders = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined && !dropped.has(name) && !named.has(name)) kept[name] = value;
  }
  return kept;
}
