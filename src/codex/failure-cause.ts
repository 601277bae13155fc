/** Why a turn failed, in our words; `failures.ts` says what each means for the job. */
export type Cause =
  | 'unauthorized'
  | 'usage_limit'
  | 'quota'
  | 'rate_limit'
  | 'overloaded'
  | 'server_error'
  | 'connection'
  | 'certificate'
  | 'redirect'
  | 'endpoint_not_found'
  | 'payment_required'
  | 'model_not_found'
  | 'bad_request'
  | 'request_too_large'
  | 'context_window'
  | 'budget'
  | 'hook_denied'
  | 'policy'
  | 'misaligned'
  | 'denials'
  | 'sandbox'
  | 'protocol'
  | 'unknown';

/** The plain variants of the app-server's `CodexErrorInfo`. */
const byInfo: ReadonlyMap<string, Cause> = new Map<string, Cause>([
  ['unauthorized', 'unauthorized'],
  ['usageLimitExceeded', 'usage_limit'],
  ['rateLimitExceeded', 'rate_limit'],
  ['flexUnavailable', 'overloaded'],
  ['serverOverloaded', 'overloaded'],
  ['policyCapacityUnavailable', 'overloaded'],
  ['internalServerError', 'server_error'],
  ['modelNotFound', 'model_not_found'],
  ['badRequest', 'bad_request'],
  ['contextWindowExceeded', 'context_window'],
  ['sessionBudgetExceeded', 'budget'],
  ['inferenceHookDenied', 'hook_denied'],
  ['cyberPolicy', 'policy'],
  ['misalignmentPolicyViolation', 'misaligned'],
  ['tooManyDenials', 'denials'],
  ['sandboxError', 'sandbox'],
  ['threadRollbackFailed', 'protocol'],
  ['activeTurnNotSteerable', 'protocol'],
]);

/** The variants that carry an HTTP status, where there was one. */
const withStatus = [
  'httpConnectionFailed',
  'responseStreamConnectionFailed',
  'responseStreamDisconnected',
  'responseTooManyFailedAttempts',
] as const;

/** Said with the same `codexErrorInfo` as a limit that resets. */
const quotaText = /quota exceeded|exceeded your current quota/i;

/** What 0.169.0 says in these cases: `exec` gives the text only, and the app-server calls some of them `other`. */
const byText: readonly (readonly [RegExp, Cause])[] = [
  // A 400 is passed on as the provider's body, and nothing else.
  [/^\s*\{\s*"error"/, 'bad_request'],
  [quotaText, 'quota'],
  [/hit your usage limit/i, 'usage_limit'],
  [/rate limit (exceeded|reached)/i, 'rate_limit'],
  [/model is at capacity|experiencing high demand|overloaded/i, 'overloaded'],
  [/context window/i, 'context_window'],
  [/^the model .{1,200} (does not exist|is not supported)/i, 'model_not_found'],
  [
    /stream disconnected|error sending request|connection (failed|refused|reset)|transport error/i,
    'connection',
  ],
  [/^sandbox error|landlock|bubblewrap|bwrap/i, 'sandbox'],
];

/** The cause as the CLI sees it. `info`, its `codexErrorInfo`, is a foreign value: a variant we do not know leaves it to the text. */
export function causeOf(error: { readonly message: string; readonly info?: unknown }): Cause {
  const text = error.message.slice(0, 4000);
  // Said by our proxy to a thread with the token of another attempt: no word about the provider's key.
  if (text.includes('This token is unknown')) return 'protocol';
  const cause = causeOfInfo(error.info) ?? causeOfText(text);
  return cause === 'usage_limit' && quotaText.test(text) ? 'quota' : cause;
}

function causeOfInfo(info: unknown): Cause | null {
  if (typeof info === 'string') return byInfo.get(info) ?? null;
  if (typeof info !== 'object' || info === null) return null;
  for (const name of withStatus) {
    if (name in info) return causeOfStatus(statusIn(Reflect.get(info, name)));
  }
  const known = Object.keys(info).find((name) => byInfo.has(name));
  return known === undefined ? null : (byInfo.get(known) ?? null);
}

function statusIn(value: unknown): number | null {
  if (typeof value !== 'object' || value === null || !('httpStatusCode' in value)) return null;
  return typeof value.httpStatusCode === 'number' ? value.httpStatusCode : null;
}

function causeOfText(message: string): Cause {
  const status = /(?:unexpected|last) status:? (\d{3})/i.exec(message)?.[1];
  if (status !== undefined) return causeOfStatus(Number(status));
  return byText.find(([pattern]) => pattern.test(message))?.[1] ?? 'unknown';
}

function causeOfStatus(status: number | null): Cause {
  if (status === null) return 'connection';
  if (status === 401 || status === 403) return 'unauthorized';
  if (status === 402) return 'payment_required';
  if (status === 404) return 'endpoint_not_found';
  if (status === 408 || status === 425) return 'connection';
  if (status === 413) return 'request_too_large';
  if (status === 429) return 'rate_limit';
  if (status === 503 || status === 529) return 'overloaded';
  if (status >= 500) return 'server_error';
  if (status >= 400) return 'bad_request';
  return status >= 300 ? 'redirect' : 'connection';
}
