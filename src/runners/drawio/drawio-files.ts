import { basename, extname } from 'node:path';
import type { Output } from '../document/document-tool.ts';

export interface DrawioLimits {
  /** The longest that one step with one file may take. */
  readonly drawioTimeoutMs: number;
  /** Of one file. */
  readonly drawioMaxMib: number;
}

export const drawioExtensions = ['.drawio', '.dio'];

export function stemOf(file: string): string {
  return basename(file, extname(file));
}

export function fileName(title: string): string {
  return title.replaceAll(/[/\\]+/g, '-').trim();
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
