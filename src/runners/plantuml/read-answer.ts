import { AppError } from '../../runtime/app-error.ts';
import type { PlantumlFormat } from '../../contract/plantuml-job.ts';
import { graphvizMissing } from './find-plantuml.ts';
import { largestSide } from './plantuml-process.ts';
import type { Diagram } from './split-diagrams.ts';

export interface Answered {
  readonly file: string;
  readonly diagram: Diagram;
  readonly format: PlantumlFormat;
  readonly answer: Buffer;
}

const pngMagic = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

/** The image in an answer. Throws `diagram_syntax`, `include_failed` (user) with file and line, `graphviz_missing` (configuration). */
export function readAnswer({ file, diagram, format, answer }: Answered): Buffer {
  const error = /^ERROR\n(?<line>-?\d+)\n(?<what>[^\n]*)/.exec(
    answer.subarray(0, 2_000).toString('utf8'),
  )?.groups;
  if (error !== undefined) throw diagramError(file, diagram, Number(error['line']), error['what'] ?? '');
  const isImage =
    format === 'png'
      ? answer.subarray(0, pngMagic.length).equals(pngMagic)
      : /^<(?:\?xml|svg)/.test(answer.subarray(0, 10).toString('latin1'));
  if (!isImage) {
    throw new AppError(
      'user',
      'diagram_refused',
      `${file}: PlantUML makes no ${format} of ${diagram.name}.`,
      {
        hint: 'This kind of diagram may not be there in that format.',
      },
    );
  }
  if (format === 'svg' && answer.includes('Dot executable')) throw graphvizMissing();
  return answer;
}

/** Whether the tool has cut the image off at the largest side that it draws. */
export function isCut(format: PlantumlFormat, image: Buffer): boolean {
  if (format !== 'png' || image.length < 24) return false;
  return Math.max(image.readUInt32BE(16), image.readUInt32BE(20)) >= largestSide;
}

/** The tool counts lines from 0, in the diagram or in the file that it includes just then. */
function diagramError(file: string, diagram: Diagram, line: number, what: string): AppError {
  const included = /^\s*!(?:include|import)/m.test(diagram.text);
  const at = `${file}, line ${String(diagram.firstLine + Math.max(0, line))}`;
  const where = included ? `${at} (or that line of a file that it includes)` : at;
  const said = what.replace(/[?.]$/, '');
  if (/cannot (?:include|open url)/i.test(said)) {
    return new AppError('user', 'include_failed', `${where}: ${said}.`, {
      hint: 'Only files of the source can be included; nothing is fetched from the network.',
    });
  }
  return new AppError('user', 'diagram_syntax', `${where}: ${said}.`, {
    hint: 'Correct the diagram at that line.',
  });
}
