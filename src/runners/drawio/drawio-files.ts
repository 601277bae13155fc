import { basename, dirname, extname, join } from 'node:path';
import { drawioJobInputSchema, type DrawioFormat, type DrawioJobInput } from '../../contract/drawio-job.ts';
import type { DocumentTool, Output } from '../document/document-tool.ts';

const minute = 60_000;
const mib = 1024 * 1024;

export interface DrawioLimits {
  /** The longest that one step with one file may take. */
  readonly drawioTimeoutMs: number;
  /** Of one file. */
  readonly drawioMaxMib: number;
}

const extensions = ['.drawio', '.dio'];

type Intake = 'type' | 'inputSchema' | 'extensions' | 'picked' | 'maxFileBytes' | 'timeoutMs';

/** What jobs and files are taken, whichever program draws them. */
export function drawioIntake({ drawioMaxMib }: DrawioLimits): Pick<DocumentTool<DrawioJobInput>, Intake> {
  return {
    type: 'drawio',
    inputSchema: drawioJobInputSchema,
    extensions: [...extensions, '.xml'],
    picked: extensions,
    maxFileBytes: drawioMaxMib * mib,
    timeoutMs: 10 * minute,
  };
}

/** What a page is called; it counts from 0. */
export function pageTitle(name: string | null, page: number): string {
  return name ?? `Page-${String(page + 1)}`;
}

/** Where a page's image belongs; `title` is null where its file has no other page. */
export function pageTarget(file: string, title: string | null, format: DrawioFormat): string {
  const stem = basename(file, extname(file));
  const page = title === null ? '' : `-${title.replaceAll(/[/\\]+/g, '-').trim()}`;
  return join(dirname(file), `${stem}${page}.${format}`);
}

/** Pages may share a name. */
export function uniquePaths(outputs: readonly Output[]): readonly Output[] {
  const taken = new Map<string, number>();
  return outputs.map((output) => {
    const count = (taken.get(output.path) ?? 0) + 1;
    taken.set(output.path, count);
    if (count === 1) return output;
    const extension = extname(output.path);
    return { ...output, path: `${output.path.slice(0, -extension.length)}-${String(count)}${extension}` };
  });
}
