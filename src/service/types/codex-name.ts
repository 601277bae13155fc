/** What makes the results of codex jobs, as builds remember it: the model has its part in them. */
export function codexName(version: string, model: string): string {
  return `codex ${version}, ${model}`;
}
