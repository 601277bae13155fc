/** A line of a rollout file; null for what is no JSON: the last line of a file whose writer was killed may be cut. */
export function parseRolloutLine(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
