import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { failureOfTurn } from './failures.ts';
import { describeFault, type ProxyFault } from './model-proxy/fault.ts';

const origin = 'https://api.example';
const atMs = 1_800_000_000_000;
const untilMs = atMs + 60_000;
const fault = {
  auth: describeFault({ kind: 'auth', status: 401, code: 'invalid_api_key', origin, atMs }),
  limit: describeFault({ kind: 'limit', status: 429, code: 'rate_limit_exceeded', origin, atMs, untilMs }),
  usage: describeFault({ kind: 'limit', status: 429, code: 'usage_limit_reached', origin, atMs, untilMs }),
  quota: describeFault({
    kind: 'limit',
    status: 429,
    code: 'insufficient_quota',
    origin,
    atMs,
    untilMs: null,
  }),
  server: describeFault({ kind: 'upstream', status: 500, code: null, origin, atMs }),
  overload: describeFault({ kind: 'upstream', status: 503, code: 'server_is_overloaded', origin, atMs }),
  redirect: describeFault({ kind: 'upstream', status: 308, code: null, origin, atMs }),
  connection: describeFault({ kind: 'connection', code: 'ECONNREFUSED', origin, atMs }),
  certificate: describeFault({ kind: 'connection', code: 'DEPTH_ZERO_SELF_SIGNED_CERT', origin, atMs }),
} satisfies Record<string, ProxyFault>;

const status = (httpStatusCode: number | null) => ({ httpStatusCode });
const known: readonly (readonly [info: unknown, kind: string, code: string])[] = [
  ['contextWindowExceeded', 'agent', 'context_window_exceeded'],
  ['sessionBudgetExceeded', 'agent', 'session_budget_exceeded'],
  ['usageLimitExceeded', 'limit', 'usage_limit'],
  ['rateLimitExceeded', 'limit', 'rate_limit'],
  ['flexUnavailable', 'infrastructure', 'model_overloaded'],
  ['serverOverloaded', 'infrastructure', 'model_overloaded'],
  ['policyCapacityUnavailable', 'infrastructure', 'model_overloaded'],
  ['modelNotFound', 'configuration', 'model_not_found'],
  ['inferenceHookDenied', 'configuration', 'hook_denied'],
  ['cyberPolicy', 'user', 'policy_refused'],
  ['misalignmentPolicyViolation', 'agent', 'policy_stopped'],
  ['tooManyDenials', 'agent', 'too_many_denials'],
  ['internalServerError', 'infrastructure', 'model_failed'],
  ['unauthorized', 'auth', 'key_refused'],
  ['badRequest', 'configuration', 'request_refused'],
  ['threadRollbackFailed', 'infrastructure', 'codex_protocol'],
  ['sandboxError', 'configuration', 'sandbox_failed'],
  ['other', 'agent', 'agent_failed'],
  ['aVariantOfTomorrow', 'agent', 'agent_failed'],
  [{ aVariantOfTomorrow: { x: 1 } }, 'agent', 'agent_failed'],
  [{ activeTurnNotSteerable: { turnKind: 'review' } }, 'infrastructure', 'codex_protocol'],
  [{ httpConnectionFailed: status(null) }, 'infrastructure', 'model_unreachable'],
  [{ httpConnectionFailed: status(401) }, 'auth', 'key_refused'],
  [{ httpConnectionFailed: status(403) }, 'auth', 'key_refused'],
  [{ httpConnectionFailed: status(402) }, 'configuration', 'payment_required'],
  [{ httpConnectionFailed: status(404) }, 'configuration', 'endpoint_not_found'],
  [{ httpConnectionFailed: status(408) }, 'infrastructure', 'model_unreachable'],
  [{ httpConnectionFailed: status(413) }, 'agent', 'request_too_large'],
  [{ httpConnectionFailed: status(422) }, 'configuration', 'request_refused'],
  [{ responseStreamConnectionFailed: status(503) }, 'infrastructure', 'model_overloaded'],
  [{ responseStreamDisconnected: status(null) }, 'infrastructure', 'model_unreachable'],
  [{ responseStreamDisconnected: status(200) }, 'infrastructure', 'model_unreachable'],
  [{ responseTooManyFailedAttempts: status(429) }, 'limit', 'rate_limit'],
  [{ responseTooManyFailedAttempts: status(500) }, 'infrastructure', 'model_failed'],
  [{ responseTooManyFailedAttempts: null }, 'infrastructure', 'model_unreachable'],
  [null, 'agent', 'agent_failed'],
  [undefined, 'agent', 'agent_failed'],
  [7, 'agent', 'agent_failed'],
];

describe('a failed turn', () => {
  it('has a row below for every variant of the generated protocol', async () => {
    const file = join(import.meta.dirname, 'protocol/generated/v2/CodexErrorInfo.ts');
    const type = /export type CodexErrorInfo = (.*)/.exec(await readFile(file, 'utf8'))?.[1] ?? '';
    const variants = [...type.matchAll(/"(\w+)"/g)].map(([, name]) => name);
    expect(variants.length).toBeGreaterThan(20);
    expect(JSON.stringify(known)).toSatisfy((rows: string) =>
      variants.every((name) => rows.includes(`"${String(name)}"`)),
    );
  });

  it.each(known)('with codexErrorInfo %j is %s, %s', (info, kind, code) => {
    const { failure } = failureOfTurn({ error: { message: 'What it said', info }, faults: [] });
    expect(failure).toMatchObject({ kind, code, message: 'What it said' });
    expect(failure.hint).not.toBe('');
  });

  // Word for word what `codex exec --json` 0.169.0 reports for each scripted fault.
  it.each([
    [
      'unexpected status 401 Unauthorized: Incorrect API key provided: ****., url: http://127.0.0.1:42961/v1/responses',
      'auth',
      'key_refused',
    ],
    [
      'You’ve hit your usage limit. Upgrade to Pro (https://chatgpt.com/explore/pro), visit https://chatgpt.com/settings/usage to purchase more credits or try again at 6:34 PM.',
      'limit',
      'usage_limit',
    ],
    ['Quota exceeded. Check your plan and billing details.', 'auth', 'quota_exhausted'],
    ['exceeded retry limit, last status: 429 Too Many Requests', 'limit', 'rate_limit'],
    ['rate limit exceeded: Rate limit reached. Please try again in 1.5s.', 'limit', 'rate_limit'],
    [
      'We’re currently experiencing high demand, which may cause temporary errors.',
      'infrastructure',
      'model_overloaded',
    ],
    ['Selected model is at capacity. Please try a different model.', 'infrastructure', 'model_overloaded'],
    [
      "Codex ran out of room in the model's context window. Start a new thread or clear earlier history before retrying.",
      'agent',
      'context_window_exceeded',
    ],
    ['{"error":{"message":"scripted status 400","type":"scripted"}}', 'configuration', 'request_refused'],
    ['unexpected status 402 Payment Required: x', 'configuration', 'payment_required'],
    ['unexpected status 404 Not Found: scripted', 'configuration', 'endpoint_not_found'],
    ['unexpected status 413 Payload Too Large: x', 'agent', 'request_too_large'],
    ['The model `x` does not exist', 'configuration', 'model_not_found'],
    ['stream disconnected before completion: weird thing', 'infrastructure', 'model_unreachable'],
    [
      'unexpected status 401 Unauthorized: This token is unknown, or its attempt is over.',
      'infrastructure',
      'codex_protocol',
    ],
    ['Something else', 'agent', 'agent_failed'],
  ])('that exec tells as "%s" is %s, %s', (message, kind, code) => {
    expect(failureOfTurn({ error: { message }, faults: [] }).failure).toMatchObject({ kind, code });
  });

  it('is told without the address of the proxy, and without the wrapping of a provider', () => {
    const message = (text: string) => failureOfTurn({ error: { message: text }, faults: [] }).failure.message;
    expect(message('unexpected status 404 Not Found: x, url: http://127.0.0.1:42961/v1/responses')).toBe(
      'unexpected status 404 Not Found: x',
    );
    expect(message('{"error":{"message":"bad image"}}')).toBe('bad image');
    expect(message('{"error":')).toBe('{"error":');
    expect(message('')).not.toBe('');
  });

  it.each([
    { saw: ['auth'], cli: 'unauthorized', kind: 'auth', code: 'key_refused' },
    { saw: ['auth', 'server'], cli: 'badRequest', kind: 'auth', code: 'key_refused' },
    { saw: ['server', 'auth'], cli: 'other', kind: 'auth', code: 'key_refused' },
    { saw: ['limit'], cli: 'other', kind: 'limit', code: 'rate_limit', until: untilMs },
    { saw: ['limit', 'server'], cli: 'other', kind: 'limit', code: 'rate_limit', until: untilMs },
    { saw: ['usage'], cli: 'internalServerError', kind: 'limit', code: 'usage_limit', until: untilMs },
    { saw: ['quota'], cli: 'usageLimitExceeded', kind: 'auth', code: 'quota_exhausted' },
    { saw: ['server', 'connection'], cli: 'other', kind: 'infrastructure', code: 'model_unreachable' },
    { saw: ['connection', 'server'], cli: 'unauthorized', kind: 'infrastructure', code: 'model_failed' },
    { saw: ['overload'], cli: 'other', kind: 'infrastructure', code: 'model_overloaded' },
    { saw: ['redirect'], cli: 'internalServerError', kind: 'configuration', code: 'endpoint_redirects' },
    { saw: ['certificate'], cli: 'other', kind: 'configuration', code: 'certificate_untrusted' },
    { saw: ['server'], cli: 'contextWindowExceeded', kind: 'agent', code: 'context_window_exceeded' },
    { saw: ['limit'], cli: 'sandboxError', kind: 'configuration', code: 'sandbox_failed' },
  ] as const)('is $code where the proxy saw $saw and the CLI guesses $cli', (row) => {
    const faults = row.saw.map((name) => fault[name]);
    const result = failureOfTurn({ error: { message: 'A guess', info: row.cli }, faults });
    expect(result.failure).toMatchObject({ kind: row.kind, code: row.code });
    expect(result.untilMs).toBe('until' in row ? row.until : null);
  });

  it('takes the reset that Codex knows where the proxy saw none', () => {
    const error = { message: 'limit', info: 'usageLimitExceeded' };
    expect(failureOfTurn({ error, faults: [], resetsAtMs: untilMs }).untilMs).toBe(untilMs);
    expect(failureOfTurn({ error, faults: [fault.quota], resetsAtMs: untilMs })).toMatchObject({
      untilMs,
      failure: { kind: 'limit', code: 'usage_limit' },
    });
    expect(failureOfTurn({ error, faults: [] }).untilMs).toBeNull();
  });

  it('without any error is a failure of the agent that says so', () => {
    expect(failureOfTurn({ error: null, faults: [] }).failure).toMatchObject({
      kind: 'agent',
      code: 'agent_failed',
    });
    expect(failureOfTurn({ error: null, faults: [fault.auth] }).failure).toMatchObject({
      kind: 'auth',
      message: `The provider at ${origin} refused the key (401, invalid_api_key).`,
    });
  });
});
