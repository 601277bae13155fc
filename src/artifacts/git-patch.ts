import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Leaf, LeafChange, TreeComparison } from './compare-trees.ts';
import { binaryLiteral } from './git-binary.ts';
import { gitFilePath, gitPath } from './git-path.ts';
import { readPieces } from './read-pieces.ts';
import { type DiffBudget, textHunks } from './text-hunks.ts';

/** Larger files are never compared by lines nor held in memory: they go into the patch as binary literals. */
const maxTextBytes = 4 * 1024 ** 2;
const budgetMs = 10_000;
const absentBlob = '0'.repeat(40);

interface Side {
  readonly mode: '100644' | '100755' | '120000';
  readonly sizeBytes: number;
  readonly pieces: () => AsyncIterable<Buffer>;
}

function sideOf(root: string, leaf: Leaf): Side {
  if (leaf.kind === 'link') {
    const target = Buffer.from(leaf.target, 'utf8');
    return { mode: '120000', sizeBytes: target.length, pieces: () => once(target) };
  }
  return {
    mode: (leaf.mode & 0o100) === 0 ? '100644' : '100755',
    sizeBytes: leaf.sizeBytes,
    pieces: () => readPieces(join(root, leaf.path)),
  };
}

async function* once(bytes: Buffer): AsyncGenerator<Buffer> {
  if (bytes.length > 0) yield bytes;
}

interface Content {
  readonly blob: string;
  /** One character a byte; null where it is binary or too large to compare by lines. */
  readonly text: string | null;
}

/** Hashes a side as git does; keeps its text where that is small enough. */
async function readContent(side: Side | null): Promise<Content> {
  if (side === null) return { blob: absentBlob, text: '' };
  const hash = createHash('sha1').update(`blob ${String(side.sizeBytes)}\0`);
  const kept: Buffer[] | null = side.sizeBytes <= maxTextBytes ? [] : null;
  for await (const piece of side.pieces()) {
    hash.update(piece);
    kept?.push(piece);
  }
  const bytes = kept === null ? null : Buffer.concat(kept);
  const text = bytes === null || bytes.includes(0) ? null : bytes.toString('latin1');
  return { blob: hash.digest('hex'), text };
}

async function* binaryBody(before: Side | null, after: Side | null): AsyncGenerator<Buffer> {
  yield Buffer.from('GIT binary patch\n');
  for (const side of [after, before]) {
    yield* binaryLiteral(side === null ? once(Buffer.alloc(0)) : side.pieces(), side?.sizeBytes ?? 0);
  }
}

interface FilePatch {
  readonly path: string;
  readonly before: Side | null;
  readonly after: Side | null;
  readonly content: boolean;
}

async function* filePatch(
  { path, before, after, content }: FilePatch,
  budget: DiffBudget,
): AsyncGenerator<Buffer> {
  let head = `diff --git ${gitPath(`a/${path}`)} ${gitPath(`b/${path}`)}\n`;
  if (before === null && after !== null) head += `new file mode ${after.mode}\n`;
  else if (after === null && before !== null) head += `deleted file mode ${before.mode}\n`;
  else if (before?.mode !== after?.mode)
    head += `old mode ${before?.mode ?? ''}\nnew mode ${after?.mode ?? ''}\n`;
  if (!content) {
    yield Buffer.from(head, 'latin1');
    return;
  }
  const [old, now] = [await readContent(before), await readContent(after)];
  const sameMode = before !== null && before.mode === after?.mode;
  head += `index ${old.blob}..${now.blob}${sameMode ? ` ${before.mode}` : ''}\n`;
  if (old.text === null || now.text === null) {
    yield Buffer.from(head, 'latin1');
    yield* binaryBody(before, after);
    return;
  }
  if (old.text !== '' || now.text !== '') {
    head += `--- ${before === null ? '/dev/null' : gitFilePath(`a/${path}`)}\n`;
    head += `+++ ${after === null ? '/dev/null' : gitFilePath(`b/${path}`)}\n`;
    head += textHunks(old.text, now.text, budget);
  }
  yield Buffer.from(head, 'latin1');
}

function splitChange(change: LeafChange, base: string, current: string): readonly FilePatch[] {
  const { path, content } = change;
  const before = change.before === null ? null : sideOf(base, change.before);
  const after = change.after === null ? null : sideOf(current, change.after);
  const sameKind = change.before?.kind === change.after?.kind;
  if (before === null || after === null || sameKind) return [{ path, before, after, content }];
  // Git has no hunk from a file to a link: one goes, the other comes.
  return [
    { path, before, after: null, content },
    { path, before: null, after, content },
  ];
}

/**
 * A comparison as a patch that `git apply` takes whole (git-diff(1), "Generating patch text"), in pieces, with one file in memory at a time.
 * Both trees must still be as they were compared.
 */
export async function* gitPatch(
  { base, current, changes }: TreeComparison,
  signal?: AbortSignal,
): AsyncGenerator<Buffer> {
  const budget: DiffBudget = { leftMs: budgetMs };
  for (const change of changes) {
    for (const patch of splitChange(change, base.root, current.root)) {
      signal?.throwIfAborted();
      yield* filePatch(patch, budget);
    }
  }
}
