import { isMap, isNode, isPair, LineCounter, parseDocument, type Document } from 'yaml';
import { manifestError, type ManifestProblem } from './manifest-error.ts';

type Path = readonly (string | number)[];

/** A YAML text and where in it things stand. */
export interface ManifestSource {
  readonly file: string;
  readonly value: unknown;
  /** Where the value of `path` stands, or the nearest thing around it; `key`: where its key does. */
  at(path: Path, what?: 'value' | 'key'): ManifestProblem['at'];
}

/** Throws `invalid_manifest` with every error of the syntax. */
export function readManifestSource(file: string, text: string): ManifestSource {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, version: '1.2' });
  const place = (offset: number): ManifestProblem['at'] => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  if (document.errors.length > 0) {
    throw manifestError(
      file,
      document.errors.map(({ pos, message }) => ({ at: place(pos[0]), message })),
    );
  }
  return {
    file,
    value: toValue(document, file),
    at(path, what = 'value') {
      const offset = what === 'key' ? keyOffset(document, path) : null;
      return place(offset ?? valueOffset(document, path));
    },
  };
}

function toValue(document: Document, file: string): unknown {
  try {
    return document.toJS() as unknown;
  } catch (error) {
    // Aliases that grow beyond all bounds.
    throw manifestError(file, [
      { at: null, message: error instanceof Error ? error.message : String(error) },
    ]);
  }
}

function valueOffset(document: Document, path: Path): number {
  for (let length = path.length; length > 0; length -= 1) {
    const node = document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return node.range[0];
  }
  return document.contents?.range?.[0] ?? 0;
}

function keyOffset(document: Document, path: Path): number | null {
  const holder = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
  if (!isMap(holder)) return null;
  const pair = holder.items.find((item) => isPair(item) && String(item.key) === String(path.at(-1)));
  return isNode(pair?.key) ? (pair.key.range?.[0] ?? null) : null;
}
