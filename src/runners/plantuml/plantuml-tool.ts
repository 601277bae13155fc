import { mkdir, readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { copyTree } from '../../artifacts/copy-tree.ts';
import { listTree } from '../../artifacts/list-tree.ts';
import { removeTree } from '../../artifacts/remove-tree.ts';
import { plantumlJobInputSchema, type PlantumlJobInput } from '../../contract/plantuml-job.ts';
import { AppError } from '../../runtime/app-error.ts';
import { newId } from '../../runtime/ids.ts';
import type { DocumentTool, DocumentWork, Output } from '../document/document-tool.ts';
import { readText } from '../document/read-text.ts';
import { checkIncludes } from './check-includes.ts';
import { graphvizMissing } from './find-plantuml.ts';
import {
  createPlantumlProcess,
  type PlantumlProcess,
  type PlantumlProcessOptions,
} from './plantuml-process.ts';
import { isCut, isError, readAnswer } from './read-answer.ts';
import { splitDiagrams, type Diagram } from './split-diagrams.ts';

const extensions = ['.puml', '.pu', '.plantuml', '.wsd'];
const minute = 60_000;
/** The longest that one diagram may take; the job's own limit goes before. */
const diagramLimitMs = minute;

/** PlantUML as a document tool: one JVM for all jobs, which sees a copy of one job's source at a time. */
export async function createPlantumlTool(
  options: PlantumlProcessOptions & { readonly diagramLimitMs?: number },
): Promise<DocumentTool<PlantumlJobInput>> {
  const process = await createPlantumlProcess(options);
  const limitMs = options.diagramLimitMs ?? diagramLimitMs;
  const tool: Tool = {
    process,
    limitMs,
    hasDot: options.plantuml.dot !== null,
    strict: options.jail.kind === 'none',
  };
  return {
    type: 'plantuml',
    inputSchema: plantumlJobInputSchema,
    extensions,
    picked: extensions,
    maxFileBytes: 2 * 1024 * 1024,
    timeoutMs: 10 * minute,
    start: (signal) => process.start(signal),
    async open(work) {
      const stage = join(process.stageDir, newId());
      await mkdir(stage, { mode: 0o700 });
      try {
        await copyTree(await listTree(work.folders.source, { signal: work.signal }), stage, work.signal);
      } catch (error) {
        await removeTree(stage);
        throw error;
      }
      return {
        convert: (file) => drawFile(tool, { file, stage, work }),
        [Symbol.asyncDispose]: () => removeTree(stage),
      };
    },
    [Symbol.asyncDispose]: () => process[Symbol.asyncDispose](),
  };
}

interface Tool {
  readonly process: PlantumlProcess;
  readonly limitMs: number;
  readonly hasDot: boolean;
  readonly strict: boolean;
}

interface FileWork {
  readonly file: string;
  readonly stage: string;
  readonly work: DocumentWork<PlantumlJobInput>;
}

async function drawFile(tool: Tool, { file, stage, work }: FileWork): Promise<readonly Output[]> {
  const diagrams = splitDiagrams(file, readText(file, await readFile(join(stage, file))));
  const folder = dirname(file);
  const outputs: Output[] = [];
  for (const diagram of diagrams) {
    checkIncludes(file, diagram, { strict: tool.strict });
    const named = { file, diagram };
    for (const format of work.input.formats) {
      const request = {
        text: diagram.text,
        format,
        folder: join(basename(stage), folder),
        limitMs: tool.limitMs,
        signal: work.signal,
      };
      const first = readAnswer({ ...named, format, answer: await draw(tool, named, request) });
      const whole = await drawOnOnePage(tool, named, request);
      if (whole !== null) work.warn(`${file}: the pages of ${diagram.name} are drawn as one image.`);
      const content = whole === null ? first : readAnswer({ ...named, format, answer: whole });
      if (isCut(format, content))
        work.warn(`${file}: ${diagram.name} is cut off, it is larger than PlantUML draws.`);
      const name = `${diagram.name}.${format}`;
      outputs.push({ path: folder === '.' ? name : `${folder}/${name}`, content });
    }
  }
  return outputs;
}

interface Named {
  readonly file: string;
  readonly diagram: Diagram;
}

async function draw(
  tool: Tool,
  { file, diagram }: Named,
  request: Parameters<PlantumlProcess['draw']>[0],
): Promise<Buffer> {
  try {
    // Without Graphviz the tool draws a picture of its complaint: only as text can that be told from a diagram.
    if (!tool.hasDot && request.format === 'png') {
      const probe = await tool.process.draw({ ...request, format: 'svg' });
      if (probe.includes('Dot executable')) throw graphvizMissing();
    }
    return await tool.process.draw(request);
  } catch (error) {
    if (!(error instanceof AppError) || (error.kind !== 'timeout' && error.kind !== 'user')) throw error;
    if (request.signal.aborted) throw error;
    const { kind, code, message, hint } = error;
    throw new AppError(kind, code, `${file}, ${diagram.name}: ${message}`, { hint, cause: error });
  }
}

/**
 * Over a pipe the tool gives the first page alone, and the others must not get lost: where a diagram says `newpage`, all is drawn as
 * one image. Null where it does not, or where its kind knows no pages.
 */
async function drawOnOnePage(
  tool: Tool,
  named: Named,
  request: Parameters<PlantumlProcess['draw']>[0],
): Promise<Buffer | null> {
  const { text } = named.diagram;
  const newpage = /^[ \t]*newpage\b/im.exec(text);
  if (newpage === null) return null;
  const ignoring = `${text.slice(0, newpage.index)}ignore newpage\n${text.slice(newpage.index)}`;
  const answer = await draw(tool, named, { ...request, text: ignoring });
  return isError(answer) ? null : answer;
}
