/**
 * What the proxy saw go wrong between it and the provider. Facts only: no body, no key, no query of a URL.
 * `code` is the provider's own short code, or Node's errno, or one of ours.
 */
export type ProxyFault =
  | {
      readonly kind: 'auth';
      readonly status: number;
      readonly code: string | null;
      readonly origin: string;
      readonly atMs: number;
    }
  | {
      readonly kind: 'limit';
      readonly status: number;
      readonly code: string | null;
      readonly origin: string;
      readonly atMs: number;
      /** When the limit resets, epoch milliseconds; null where the provider did not say. */
      readonly untilMs: number | null;
    }
  | {
      readonly kind: 'upstream';
      readonly status: number;
      readonly code: string | null;
      readonly origin: string;
      readonly atMs: number;
    }
  | {
      readonly kind: 'connection';
      readonly code: string;
      readonly origin: string;
      readonly atMs: number;
    };

export type AuthFault = Extract<ProxyFault, { readonly kind: 'auth' }>;
