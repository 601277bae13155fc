import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { removeTree } from '../../artifacts/remove-tree.ts';
import type { PlantumlFormat } from '../../contract/plantuml-job.ts';
import { AppError } from '../../runtime/app-error.ts';
import { newId } from '../../runtime/ids.ts';
import { jailed } from '../../supervisor/jail.ts';
import { runTool } from '../run-tool.ts';
import { visible, type PlantumlProcess, type PlantumlProcessOptions } from './plantuml-process.ts';

export interface PagesRequest {
  readonly text: string;
  readonly format: PlantumlFormat;
  /** Absolute, inside the stage: where relative includes start. */
  readonly folder: string;
  readonly limitMs: number;
  readonly signal: AbortSignal;
}

const stem = 'pages';

/**
 * Every page of a diagram with `newpage`, in order. Over its pipe the tool gives the first alone, so another JVM draws these as files. Rejects with
 * `tool_timeout` (timeout), `pages_failed` (user).
 */
export async function drawPages(
  process: PlantumlProcess,
  options: PlantumlProcessOptions,
  { text, format, folder, limitMs, signal }: PagesRequest,
): Promise<readonly Buffer[]> {
  const out = join(options.scratchDir, `pages-${newId()}`);
  // Beside the file that it comes from, for its includes; its name is nothing that a source would have.
  const name = `.capstan-${newId()}`;
  const file = join(folder, `${name}.puml`);
  await mkdir(out, { mode: 0o700 });
  await writeFile(file, text.replace(/^@start([a-z]+).*/i, `@start$1 ${stem}`));
  try {
    const spec = await jailed(
      process.command([`-t${format}`, '-o', out, file], folder),
      {
        folders: [...visible(process.stageDir, options.plantuml), { path: out, access: 'write' }],
        network: 'none',
      },
      options.jail,
    );
    const { PATH: path = options.commandPath, ...env } = spec.env;
    const { containment } = options;
    const { output } = await runTool({ ...spec, env, path, containment, limitMs, signal });
    const names = (await readdir(out)).filter((each) => each.startsWith(stem)).sort();
    if (names.length === 0) throw noPages(output);
    return await Promise.all(names.map((each) => readFile(join(out, each))));
  } finally {
    await rm(file, { force: true });
    await removeTree(out);
  }
}

function noPages(output: string): AppError {
  return new AppError(
    'user',
    'pages_failed',
    `PlantUML drew no page of it: ${output.trim().slice(-300) || 'it said nothing'}`,
    { hint: 'Try the diagram without newpage.' },
  );
}
