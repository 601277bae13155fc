/** What the scenario engine needs to know of one model call, whatever the protocol. */
export interface ModelRequest {
  /** The client's conversation; empty where it names none. */
  readonly threadId: string;
  readonly token: string;
  readonly model: string;
  readonly history: readonly HistoryItem[];
}

export type HistoryItem =
  /** What a user wrote; the client's own context messages are left out. */
  | { readonly kind: 'prompt'; readonly text: string }
  /** Something the model sent; `turn` where its id still carries the number we gave it. */
  | { readonly kind: 'output'; readonly turn?: number }
  /** What a tool answered. */
  | { readonly kind: 'result'; readonly text: string };

export function lastPrompt(request: ModelRequest): string {
  return request.history.findLast((item) => item.kind === 'prompt')?.text ?? '';
}
