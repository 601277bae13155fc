import { isIP } from 'node:net';
import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { AppError } from '../runtime/app-error.ts';

export interface GuardSettings {
  /** Host names, besides loopback's and the bound one, under which the server may be called. */
  readonly allowedHosts: readonly string[];
  /** Origins, besides the server's own, whose pages may call it: `https://host[:port]`. */
  readonly allowedOrigins: readonly string[];
  /** The address that it is bound to. */
  readonly host: string;
  readonly apiKey: string | null;
}

const loopbackNames = ['localhost', '127.0.0.1', '[::1]', '::1'];

export function isLoopback(host: string): boolean {
  return loopbackNames.includes(host) || (isIP(host) === 4 && host.startsWith('127.'));
}

/** Refuses to listen beyond this machine without a key: AppError `api_key_required`, kind `configuration`; `variable` is where the key goes. */
export function assertBindAllowed(
  host: string,
  apiKey: string | null,
  variable = 'CAPSTAN_HTTP__API_KEY',
): void {
  if (isLoopback(host) || apiKey !== null) return;
  throw new AppError(
    'configuration',
    'api_key_required',
    `Listening on ${host} without an API key would let anyone in.`,
    {
      hint: `Set ${variable}, or listen on 127.0.0.1.`,
    },
  );
}

/**
 * Keeps pages of other sites out, also by DNS rebinding: the Host header must be a name of ours, an Origin header must be the server's own
 * or an allowed one. A page cannot choose its Host; one with another port is a forwarded port. Throws `forbidden_host` or `forbidden_origin`.
 */
export function checkHostAndOrigin(request: FastifyRequest, settings: GuardSettings): void {
  const name = request.hostname.toLowerCase();
  if (!isOurs(name, settings)) {
    throw new AppError('user', 'forbidden_host', `This server is not called '${name}'.`, {
      hint: 'Add the name to http.allowed_hosts.',
    });
  }
  const { origin } = request.headers;
  if (origin === undefined || settings.allowedOrigins.includes(origin)) return;
  if (origin === `${request.protocol}://${request.host.toLowerCase()}`) return;
  throw new AppError('user', 'forbidden_origin', `Pages of '${origin}' may not call this server.`, {
    hint: 'Add the origin to http.allowed_origins.',
  });
}

function isOurs(name: string, { host, allowedHosts, apiKey }: GuardSettings): boolean {
  if (isLoopback(name) || name === host || name === `[${host}]`) return true;
  if (allowedHosts.some((allowed) => allowed.toLowerCase() === name)) return true;
  // An address cannot be rebound, and who has the key is no stranger's page: that is how probes and other machines call.
  return apiKey !== null && isIP(name.replace(/^\[|\]$/g, '')) !== 0;
}

/** Throws AppError `invalid_api_key` unless the request carries the key as a bearer token; compares in constant time. */
export function checkApiKey(request: FastifyRequest, apiKey: string): void {
  const given = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? '';
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  if (timingSafeEqual(digest(given), digest(apiKey))) return;
  throw new AppError('auth', 'invalid_api_key', 'The API key is missing or wrong.', {
    hint: 'Send it as `Authorization: Bearer KEY`; the server has it in http.api_key.',
  });
}
