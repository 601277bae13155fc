import { mkdir, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { plantumlJobInputSchema, type PlantumlJobInput } from '../../contract/plantuml-job.ts';
import { createArtifactStorage } from '../../artifacts/artifact-storage.ts';
import { AppError } from '../../runtime/app-error.ts';
import { makeTree } from '../../../test/support/scratch-folder.ts';
import { aClaim, aJob, openTestStore } from '../../../test/support/test-store.ts';
import { createDocumentRunner } from './create-document-runner.ts';
import type { DocumentTool } from './document-tool.ts';

/** Copies each file, and finds the disk full at the one that is called so. */
const copies: DocumentTool<PlantumlJobInput> = {
  type: 'plantuml',
  inputSchema: plantumlJobInputSchema,
  extensions: ['.puml'],
  picked: ['.puml'],
  maxFileBytes: 1_000,
  timeoutMs: 20_000,
  start: () => Promise.resolve(),
  open: () =>
    Promise.resolve({
      convert(file: string) {
        if (file === 'full.puml')
          return Promise.reject(
            new AppError('infrastructure', 'disk_full', 'The disk is full.', { hint: '' }),
          );
        return Promise.resolve([{ path: file, content: Buffer.from(file) }]);
      },
      [Symbol.asyncDispose]: () => Promise.resolve(),
    }),
  [Symbol.asyncDispose]: () => Promise.resolve(),
};

test('an attempt without room leaves no artifacts, and gives all back but its source', async () => {
  await using opened = await openTestStore();
  const { store, dir } = opened;
  const artifacts = createArtifactStorage(dir.join('artifacts'));
  await using runner = createDocumentRunner({
    tool: copies,
    toolName: 'copies 1',
    artifacts,
    dataDir: dir.path,
  });
  const input = plantumlJobInputSchema.parse({ source: { dir: dir.path } });
  const { job } = await store.submitJob(aJob({ type: 'plantuml', input }));
  const [claimed] = await store.claimJobs(aClaim('w', { types: ['plantuml'] }));
  if (claimed === undefined) throw new Error('nothing to claim');
  const folder = dir.join('jobs', job.id);
  await makeTree(path.join(folder, 'source'), { 'a.puml': 'x', 'full.puml': 'x' });
  for (const name of ['workspace', 'home']) {
    await mkdir(path.join(folder, name));
    await writeFile(path.join(folder, name, 'large'), 'x');
  }
  const context = {
    signal: AbortSignal.timeout(20_000),
    emit: () => undefined,
    saveCheckpoint: () => Promise.resolve(),
  };

  await expect(runner.run(claimed, context)).rejects.toMatchObject({ code: 'disk_full' });
  await runner.giveBack?.(job);

  expect(await artifacts.list(job.id)).toEqual([]);
  expect(await readdir(folder)).toEqual(['source']);
});
