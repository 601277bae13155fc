/** Names of the artifacts that a codex job leaves. */
export const artifactNames = {
  patch: 'changes.patch',
  result: 'result.tar.gz',
  transcript: 'transcript.jsonl',
} as const;
