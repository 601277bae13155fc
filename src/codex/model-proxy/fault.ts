interface Seen {
  /** Scheme, host and port of the provider. */
  readonly origin: string;
  readonly atMs: number;
}

interface Answered extends Seen {
  /** HTTP status; 200 where a stream reported it at its end. */
  readonly status: number;
  /** The provider's own short code. */
  readonly code: string | null;
}

/** `untilMs`: when the limit resets, epoch milliseconds; null where the provider did not say. */
type Facts =
  | ({ readonly kind: 'auth' } & Answered)
  | ({ readonly kind: 'limit'; readonly untilMs: number | null } & Answered)
  | ({ readonly kind: 'upstream' } & Answered)
  /** `code`: Node's errno or TLS code, or `stream_incomplete`. */
  | ({ readonly kind: 'connection'; readonly code: string } & Seen);

/** What the proxy saw go wrong between it and the provider. Facts only: no body, no key, no query of a URL. */
export type ProxyFault = Facts & { readonly message: string };

export type AuthFault = Extract<ProxyFault, { readonly kind: 'auth' }>;

export function describeFault(facts: Facts): ProxyFault {
  return { ...facts, message: sentence(facts) };
}

function sentence(facts: Facts): string {
  const { origin } = facts;
  if (facts.kind === 'connection') {
    return facts.code === 'stream_incomplete'
      ? `The model's stream from ${origin} ended before the response was complete.`
      : `The model endpoint at ${origin} could not be reached, or broke off (${facts.code}).`;
  }
  const answer = facts.code === null ? String(facts.status) : `${String(facts.status)}, ${facts.code}`;
  switch (facts.kind) {
    case 'auth':
      return `The provider at ${origin} refused the key (${answer}).`;
    case 'limit':
      return `The provider at ${origin} set a limit (${answer}).`;
    case 'upstream':
      return facts.status >= 300 && facts.status < 400
        ? `The model endpoint at ${origin} answers with a redirect (${answer}), which is not followed.`
        : `The provider at ${origin} failed (${answer}).`;
  }
}
