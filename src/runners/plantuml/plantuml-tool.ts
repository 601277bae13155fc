import { mkdir, readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { copyTree, ofKind } from '../../artifacts/copy-tree.ts';
import { listTree } from '../../artifacts/list-tree.ts';
import { removeTree } from '../../artifacts/remove-tree.ts';
import {
  plantumlJobInputSchema,
  type PlantumlFormat,
  type PlantumlJobInput,
} from '../../contract/plantuml-job.ts';
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
import { drawPages } from './draw-pages.ts';
import { mayHavePages } from './may-have-pages.ts';
import { isCut, readAnswer } from './read-answer.ts';
import { nameAfter, splitDiagrams, type Diagram } from './split-diagrams.ts';

const extensions = ['.puml', '.pu', '.plantuml', '.wsd'];
const minute = 60_000;
const mib = 1024 * 1024;

export interface PlantumlLimits {
  /** The longest that one diagram may take; the job's own limit goes before. */
  readonly plantumlTimeoutMs: number;
  /** Of one source file. */
  readonly plantumlMaxMib: number;
}

/** PlantUML as a document tool: one JVM for all jobs, which sees a copy of one job's source at a time. */
export async function createPlantumlTool(
  options: PlantumlProcessOptions,
  limits: PlantumlLimits,
): Promise<DocumentTool<PlantumlJobInput>> {
  const process = await createPlantumlProcess(options);
  const tool: Tool = {
    process,
    options,
    limitMs: limits.plantumlTimeoutMs,
    hasDot: options.plantuml.dot !== null,
    strict: options.jail.kind === 'none',
  };
  return {
    type: 'plantuml',
    inputSchema: plantumlJobInputSchema,
    extensions,
    picked: extensions,
    maxFileBytes: limits.plantumlMaxMib * mib,
    timeoutMs: 10 * minute,
    start: (signal) => process.start(signal),
    async open(work) {
      const stage = join(process.stageDir, newId());
      await mkdir(stage, { mode: 0o700 });
      let files: readonly string[];
      try {
        const tree = await listTree(work.folders.source, { signal: work.signal });
        await copyTree(tree, stage, work.signal);
        files = ofKind(tree.entries, 'file').map(({ path }) => path);
      } catch (error) {
        await removeTree(stage);
        throw error;
      }
      return {
        convert: (file) => drawFile(tool, { file, stage, files, work }),
        [Symbol.asyncDispose]: () => removeTree(stage),
      };
    },
    [Symbol.asyncDispose]: () => process[Symbol.asyncDispose](),
  };
}

interface Tool {
  readonly process: PlantumlProcess;
  readonly options: PlantumlProcessOptions;
  readonly limitMs: number;
  readonly hasDot: boolean;
  readonly strict: boolean;
}

interface FileWork {
  readonly file: string;
  readonly stage: string;
  /** All that the stage holds. */
  readonly files: readonly string[];
  readonly work: DocumentWork<PlantumlJobInput>;
}

async function drawFile(tool: Tool, { file, stage, files, work }: FileWork): Promise<readonly Output[]> {
  const diagrams = splitDiagrams(file, readText(file, await readFile(join(stage, file))));
  const folder = dirname(file);
  const outputs: Output[] = [];
  /** Pages beyond the first, of the diagrams so far: the tool counts them where it names what has no name. */
  let pagesBefore = 0;
  for (const diagram of diagrams) {
    checkIncludes(file, diagram, { strict: tool.strict });
    const name = nameAfter(diagram, pagesBefore);
    const named = { file, diagram: { ...diagram, name } };
    const isPaged = await mayHavePages(diagram.text, { stage, files, folder });
    let pages = 1;
    for (const format of work.input.formats) {
      const images = await drawDiagram(tool, { named, isPaged, format, stage, signal: work.signal });
      pages = Math.max(pages, images.length);
      for (const [page, content] of images.entries()) {
        if (isCut(format, content))
          work.warn(`${file}: ${name} is cut off, it is larger than PlantUML draws.`);
        const target = `${page === 0 ? name : `${name}_${String(page).padStart(3, '0')}`}.${format}`;
        outputs.push({ path: folder === '.' ? target : `${folder}/${target}`, content });
      }
    }
    pagesBefore += pages - 1;
  }
  return outputs;
}

interface DiagramWork {
  readonly named: Named;
  /** Whether it may have more pages than one. */
  readonly isPaged: boolean;
  readonly format: PlantumlFormat;
  readonly stage: string;
  readonly signal: AbortSignal;
}

/** Its image, or one for each page. */
async function drawDiagram(
  tool: Tool,
  { named, isPaged, format, stage, signal }: DiagramWork,
): Promise<readonly Buffer[]> {
  const { text } = named.diagram;
  const { limitMs } = tool;
  const folder = dirname(named.file);
  const request = { text, format, folder: join(basename(stage), folder), limitMs, signal };
  // In any case, as this tells what is wrong and in which line.
  const first = readAnswer({ ...named, format, answer: await draw(tool, named, request) });
  if (!isPaged) return [first];
  const pages = { text, format, folder: join(stage, folder), limitMs, signal };
  return inWordsOf(named, signal, () => drawPages(tool.process, tool.options, pages));
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
  return inWordsOf({ file, diagram }, request.signal, async () => {
    // Without Graphviz the tool draws a picture of its complaint: only as text can that be told from a diagram.
    if (!tool.hasDot && request.format === 'png') {
      const probe = await tool.process.draw({ ...request, format: 'svg' });
      if (probe.includes('Dot executable')) throw graphvizMissing();
    }
    return await tool.process.draw(request);
  });
}

/** A fault of the diagram says which it is. */
async function inWordsOf<T>(
  { file, diagram }: Named,
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof AppError) || (error.kind !== 'timeout' && error.kind !== 'user')) throw error;
    if (signal.aborted) throw error;
    const { kind, code, message, hint } = error;
    throw new AppError(kind, code, `${file}, ${diagram.name}: ${message}`, { hint, cause: error });
  }
}
