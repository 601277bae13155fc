import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { diffTrees } from '../../artifacts/tree-diff.ts';
import type { JobFolders } from '../../artifacts/job-folders.ts';
import { showName } from '../../artifacts/file-error.ts';
import { repositoryData } from '../../artifacts/tree-filter.ts';
import { packTree } from '../../artifacts/pack-tree.ts';
import { createRedactor } from '../../telemetry/create-redactor.ts';
import { redactText } from '../../telemetry/redact-text.ts';
import { firstParagraph, parseOutputBlock } from '../../codex/output-block.ts';
import type { Artifact } from '../../contract/job.ts';
import type { AttemptReport, Job } from '../../domain/job.ts';
import { artifactNames } from './artifact-names.ts';
import { compareClaim } from './compare-claim.ts';
import type { CodexRunnerDeps } from './deps.ts';
import type { AgentRun } from './run-agent.ts';

/** What Codex itself puts into a workspace's root; what it only mounts there may be left as an empty folder when a command is killed. */
export const agentScratch = ['.codex', '.agents', '.aws'];

export interface Collected {
  readonly job: Job;
  readonly folders: JobFolders;
  readonly agentRun: AgentRun;
}

/** What the agent claims, what really changed, and the files that prove it, as one report. */
export async function collectResult(
  deps: CodexRunnerDeps,
  { job, folders, agentRun }: Collected,
): Promise<AttemptReport> {
  const diff = await diffTrees(folders.source, folders.workspace, {
    scratch: agentScratch,
  });
  const said = agentRun.turn?.finalMessage ?? null;
  const finalMessage = said === null ? null : redactText(said);
  const claimed = finalMessage === null ? null : parseOutputBlock(finalMessage);
  const summary = claimed?.summary ?? (finalMessage === null ? null : firstParagraph(finalMessage));
  const artifacts: Artifact[] = [];
  artifacts.push(await deps.artifacts.put(job.id, artifactNames.patch, diff.patch()));
  const archive = join(folders.job, artifactNames.result);
  await packTree(folders.workspace, archive, { exclude: repositoryData });
  artifacts.push(await deps.artifacts.put(job.id, artifactNames.result, { file: archive }));
  const { rolloutPath } = agentRun;
  if (rolloutPath !== null && (await exists(rolloutPath))) {
    artifacts.push(await deps.artifacts.put(job.id, artifactNames.transcript, redactedFile(rolloutPath)));
  }
  return {
    summary,
    filesChanged: diff.files,
    claimed,
    checks: [],
    warnings: [
      ...agentRun.warnings,
      ...unseen(diff.comparison.refused),
      ...empty(diff.comparison.emptyFolders),
      ...compareClaim(claimed, diff.files),
    ],
    usage: agentRun.usage,
    agent: { name: 'codex', version: deps.codexVersion, model: agentRun.model },
    threadId: agentRun.threadId,
    resumed: agentRun.resumed,
    artifacts,
  };
}

/** The transcript has all that commands printed; the patch is left as it is, or it would not apply. */
async function* redactedFile(path: string): AsyncGenerator<Buffer> {
  const redactor = createRedactor();
  for await (const piece of createReadStream(path, 'utf8')) yield Buffer.from(redactor.push(piece as string));
  yield Buffer.from(redactor.flush());
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null)) !== null;
}

/** What the agent left that neither a patch nor an archive can hold. */
function unseen(refused: readonly { readonly path: string; readonly reason: string }[]): readonly string[] {
  const shown = refused.slice(0, 5).map(({ path, reason }) => `${showName(path)} (${reason})`);
  return shown.length === 0
    ? []
    : [`Left out of the result: ${shown.join(', ')}${refused.length > shown.length ? ' and more' : ''}.`];
}

/** What an archive holds and no patch can. */
function empty(folders: readonly string[]): readonly string[] {
  const shown = folders.slice(0, 5).map(showName).join(', ');
  const more = folders.length > 5 ? ' and more' : '';
  return folders.length === 0
    ? []
    : [`Empty folders came, which a patch cannot hold; \`capstan jobs apply\` makes them: ${shown}${more}.`];
}
