import type { Failure } from '../contract/failure.ts';
import { causeOf, type Cause } from './failure-cause.ts';
import { field } from './field.ts';
import type { ProxyFault } from './model-proxy/fault.ts';

/** A turn that did not complete, as far as it is known why. */
export interface FailedTurn {
  /** What Codex said: `info` is the app-server's `codexErrorInfo`, which exec does not tell. Null where it said nothing. */
  readonly error: {
    readonly message: string;
    readonly info?: unknown;
  } | null;
  /** What the model proxy saw, oldest first. */
  readonly faults: readonly ProxyFault[];
  /** When the account's limit resets, epoch milliseconds, where Codex said so by itself. */
  readonly resetsAtMs?: number | null;
}

export interface TurnFailure {
  readonly failure: Failure;
  /** For kind `limit`: when it resets, epoch milliseconds; null where nobody said. */
  readonly untilMs: number | null;
}

type Outline = Omit<Failure, 'message'>;

const keyHint =
  'Give another key in OPENAI_API_KEY, or log in and set codex.auth = home, then retry the job with `capstan jobs retry`.';
const modelHint = 'Check codex.model and codex.base_url: this provider does not offer what was asked for.';
const laterHint = 'The job is tried again by itself; check the network and codex.base_url if it goes on.';

const outlines: Readonly<Record<Cause, Outline>> = {
  unauthorized: { kind: 'auth', code: 'key_refused', hint: keyHint },
  usage_limit: {
    kind: 'limit',
    code: 'usage_limit',
    hint: "The job goes on when the limit resets. Check the account's plan and billing, or use another key.",
  },
  quota: {
    kind: 'auth',
    code: 'quota_exhausted',
    hint: "The key's account has nothing left, and no time resets that: add credit or give another key, then retry the job with `capstan jobs retry`.",
  },
  rate_limit: { kind: 'limit', code: 'rate_limit', hint: 'The job goes on when the limit resets.' },
  overloaded: { kind: 'infrastructure', code: 'model_overloaded', hint: laterHint },
  server_error: { kind: 'infrastructure', code: 'model_failed', hint: laterHint },
  connection: { kind: 'infrastructure', code: 'model_unreachable', hint: laterHint },
  certificate: {
    kind: 'configuration',
    code: 'certificate_untrusted',
    hint: "Check codex.base_url; for a certificate of your own, start with NODE_EXTRA_CA_CERTS set to its authority's file.",
  },
  redirect: {
    kind: 'configuration',
    code: 'endpoint_redirects',
    hint: 'Set codex.base_url to where it leads.',
  },
  endpoint_not_found: { kind: 'configuration', code: 'endpoint_not_found', hint: modelHint },
  payment_required: {
    kind: 'configuration',
    code: 'payment_required',
    hint: 'Add credit to the account, then retry the job.',
  },
  model_not_found: { kind: 'configuration', code: 'model_not_found', hint: modelHint },
  bad_request: { kind: 'configuration', code: 'request_refused', hint: modelHint },
  request_too_large: {
    kind: 'agent',
    code: 'request_too_large',
    hint: 'Split the job into smaller ones, or have it read less at once.',
  },
  context_window: {
    kind: 'agent',
    code: 'context_window_exceeded',
    hint: 'Split the job into smaller ones, or choose a model with a larger context window.',
  },
  budget: { kind: 'agent', code: 'session_budget_exceeded', hint: 'Split the job into smaller ones.' },
  hook_denied: {
    kind: 'configuration',
    code: 'hook_denied',
    hint: 'A hook in codex.home forbids this request.',
  },
  policy: {
    kind: 'user',
    code: 'policy_refused',
    hint: "The provider's policy refuses this prompt; word it differently.",
  },
  misaligned: {
    kind: 'agent',
    code: 'policy_stopped',
    hint: "The provider stopped the agent for what it did; read the job's log before you try again.",
  },
  denials: {
    kind: 'agent',
    code: 'too_many_denials',
    hint: 'The agent kept asking for what its sandbox forbids; see the log, and allow network or a wider sandbox if it needs them.',
  },
  sandbox: {
    kind: 'configuration',
    code: 'sandbox_failed',
    hint: 'Run `capstan doctor`: it tries the sandbox and says what it lacks.',
  },
  protocol: {
    kind: 'infrastructure',
    code: 'codex_protocol',
    hint: 'Codex and Capstan disagree about a step; the log has it. Check the version of Codex with `capstan doctor`.',
  },
  unknown: { kind: 'agent', code: 'agent_failed', hint: "See the job's log for what the agent did." },
};

/** Causes that the CLI may only guess at: what the proxy saw on the wire counts before them. */
const guesses: ReadonlySet<Cause> = new Set<Cause>([
  'unauthorized',
  'usage_limit',
  'quota',
  'rate_limit',
  'overloaded',
  'server_error',
  'connection',
  'unknown',
]);

/** Why a turn failed and what to do about it. */
export function failureOfTurn(turn: FailedTurn): TurnFailure {
  const own = turn.error === null ? 'unknown' : causeOf(turn.error);
  const fault = decidingFault(turn.faults, own);
  if (fault !== null) {
    const untilMs = fault.kind === 'limit' ? (fault.untilMs ?? turn.resetsAtMs ?? null) : null;
    const cause = causeOfFault(fault, untilMs);
    return { failure: { ...outlines[cause], message: fault.message }, untilMs };
  }
  const outline = outlines[own];
  const untilMs = outline.kind === 'limit' ? (turn.resetsAtMs ?? null) : null;
  return { failure: { ...outline, message: messageOf(turn.error) }, untilMs };
}

function decidingFault(faults: readonly ProxyFault[], own: Cause): ProxyFault | null {
  const refused = faults.find((fault) => fault.kind === 'auth');
  if (refused !== undefined) return refused;
  if (!guesses.has(own)) return null;
  return faults.findLast((fault) => fault.kind === 'limit') ?? faults.at(-1) ?? null;
}

const usageCodes = new Set([
  'insufficient_quota',
  'usage_limit_reached',
  'usage_not_included',
  'quota_exceeded',
]);
const overloadCodes = new Set(['server_is_overloaded', 'slow_down', 'overloaded_error']);

function causeOfFault(fault: ProxyFault, untilMs: number | null): Cause {
  switch (fault.kind) {
    case 'auth':
      return 'unauthorized';
    case 'limit':
      // Where it is said when it resets, it is a limit like any other.
      if (fault.code === 'insufficient_quota' && untilMs === null) return 'quota';
      return fault.code !== null && usageCodes.has(fault.code) ? 'usage_limit' : 'rate_limit';
    case 'upstream':
      if (fault.status >= 300 && fault.status < 400) return 'redirect';
      return fault.code !== null && overloadCodes.has(fault.code) ? 'overloaded' : 'server_error';
    case 'connection':
      return /CERT|SELF_SIGNED|UNABLE_TO_(GET|VERIFY)/.test(fault.code) ? 'certificate' : 'connection';
  }
}

function messageOf(error: FailedTurn['error']): string {
  if (error === null) return "The agent's turn ended without a result.";
  if (error.message.trim() === '') return "The agent's turn failed without a message.";
  // The CLI adds the address it asked, which is the proxy's and means nothing to a reader.
  return providerMessage(error.message.slice(0, 4000)).replace(/, url: http:\/\/127\.0\.0\.1:\d+\/\S*/, '');
}

/** A refused request's message is the provider's whole body. */
function providerMessage(text: string): string {
  if (!text.trimStart().startsWith('{')) return text;
  try {
    const message = field(field(JSON.parse(text), 'error'), 'message');
    return typeof message === 'string' && message !== '' ? message : text;
  } catch (error) {
    if (error instanceof SyntaxError) return text;
    throw error;
  }
}
