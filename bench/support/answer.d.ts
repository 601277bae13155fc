/** A request and what it is answered with; both pass as JSON. */
export function answer(
  functions: Readonly<Record<string, (request: never) => unknown>>,
  end: () => Promise<unknown> | undefined,
): void;
