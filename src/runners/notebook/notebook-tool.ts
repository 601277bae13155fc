import { readFile, writeFile } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import { z } from 'zod';
import { prepareWorkspace } from '../../artifacts/prepare-workspace.ts';
import { removeTree } from '../../artifacts/remove-tree.ts';
import { notebookJobInputSchema, type NotebookJobInput } from '../../contract/notebook-job.ts';
import { AppError } from '../../runtime/app-error.ts';
import { newId } from '../../runtime/ids.ts';
import { endAttempt } from '../../codex/end-attempt.ts';
import { attemptMark, attemptVariable } from '../../codex/thread-config.ts';
import type { DocumentTool, DocumentWork, Output } from '../document/document-tool.ts';
import { readText } from '../document/read-text.ts';
import { kernelMissing } from './find-jupyter.ts';
import { loadedFromElsewhere, makeOffline, missingPictures } from './offline-page.ts';
import { parsePercent } from './parse-percent.ts';
import { runConverter, type ConverterOptions } from './run-converter.ts';
import { toNotebookError } from './notebook-error.ts';

const minute = 60_000;
const mib = 1024 * 1024;

export interface NotebookLimits {
  /** The longest that one cell may run where the job does not say. */
  readonly notebookCellTimeoutMs: number;
  /** Of one notebook. */
  readonly notebookMaxMib: number;
  /** Of all that its cells print. */
  readonly notebookOutputMaxMib: number;
}

/** Jupyter as a document tool: a process a file, which runs the cells in the job's own workspace and HOME. */
export function createNotebookTool(
  options: ConverterOptions,
  limits: NotebookLimits,
): DocumentTool<NotebookJobInput> {
  return {
    type: 'notebook',
    inputSchema: notebookJobInputSchema,
    extensions: ['.ipynb', '.py'],
    picked: ['.ipynb'],
    maxFileBytes: limits.notebookMaxMib * mib,
    timeoutMs: 60 * minute,
    start: async () => undefined,
    async open(work) {
      const { folders, lease, signal, input } = work;
      if (input.execute && !options.jupyter.kernel) throw kernelMissing();
      for (let attempt = 1; attempt < lease.attempt; attempt += 1) await endAttempt({ ...lease, attempt });
      await prepareWorkspace(folders, signal);
      return {
        convert: (file) => convertNotebook({ options, limits }, work, file),
        async [Symbol.asyncDispose]() {
          if (options.containment.kind === 'process_group') await endAttempt(lease);
          await removeTree(folders.workspace);
          await removeTree(folders.home);
        },
      };
    },
    [Symbol.asyncDispose]: async () => undefined,
  };
}

async function convertNotebook(
  { options, limits }: { readonly options: ConverterOptions; readonly limits: NotebookLimits },
  { input, folders, lease, signal, warn }: DocumentWork<NotebookJobInput>,
  file: string,
): Promise<readonly Output[]> {
  const text = readText(file, await readFile(join(folders.source, file)));
  const percent = extname(file).toLowerCase() === '.py';
  const notebook = percent ? JSON.stringify(parsePercent(file, text)) : checkJson(file, text);
  const out = join(folders.home, newId());
  const path = join(folders.home, `${newId()}.ipynb`);
  await writeFile(path, notebook);
  const folder = dirname(file);
  const name = basename(file, extname(file));
  const result = await runConverter(options, {
    task: {
      notebook: path,
      name,
      folder: join(folders.workspace, folder),
      formats: input.formats,
      execute: input.execute,
      kernel: input.kernel ?? null,
      cellTimeoutMs: input.cellTimeoutMs ?? limits.notebookCellTimeoutMs,
      maxOutputBytes: limits.notebookOutputMaxMib * mib,
    },
    places: {
      ...folders,
      out,
      network: input.network,
      marker: { name: attemptVariable, value: attemptMark(lease) },
    },
    signal,
  });
  if (!result.ok) throw toNotebookError(file, result);
  return Promise.all(
    result.outputs.map(async ({ format, file: made, extension }): Promise<Output> => {
      const target = join(folder, `${name}${extension}`);
      if (format !== 'html') return { path: target, content: { file: made } };
      const page = await makeOffline(await readFile(made, 'utf8'));
      const elsewhere = loadedFromElsewhere(page);
      if (elsewhere.length > 0) warn(`${target} loads from elsewhere: ${elsewhere.join(', ')}`);
      const missing = missingPictures(page);
      if (missing.length > 0) warn(`${target} shows pictures that are not there: ${missing.join(', ')}`);
      return { path: target, content: Buffer.from(page) };
    }),
  );
}

function checkJson(file: string, text: string): string {
  try {
    z.looseObject({ cells: z.array(z.unknown()) })
      .or(z.looseObject({ worksheets: z.array(z.unknown()) }))
      .parse(JSON.parse(text));
    return text;
  } catch (error) {
    const why = error instanceof SyntaxError ? error.message : 'it has no cells';
    throw new AppError('user', 'notebook_invalid', `${file} is not a notebook: ${why}.`, {
      hint: 'Open it in Jupyter and save it again.',
      cause: error,
    });
  }
}
