import { Header, Pax } from 'tar';
import type { TreeEntry } from './list-tree.ts';

export const blockBytes = 512;
/** All entries carry this time, so that equal trees make equal archives. */
const fixedTime = new Date(0);
const fitsPlain = /^[\x20-\x7e]{0,100}$/;
const maxPlainBytes = 8 * 1024 ** 3 - 1;

/** The zeros that fill up a body's last block. */
export const padding = (sizeBytes: number): Buffer =>
  Buffer.alloc((blockBytes - (sizeBytes % blockBytes)) % blockBytes);

/** The header of one entry, preceded by a pax header (POSIX pax(1)) where a name, a target or a size does not fit the plain one. */
export function tarHeader(entry: TreeEntry): Buffer {
  const path = entry.kind === 'folder' ? `${entry.path}/` : entry.path;
  const size = entry.kind === 'file' ? entry.sizeBytes : 0;
  const linkpath = entry.kind === 'link' ? entry.target : '';
  const type = entry.kind === 'folder' ? 'Directory' : entry.kind === 'link' ? 'SymbolicLink' : 'File';
  const mode = entry.kind === 'link' ? 0o777 : entry.mode;
  const block = Buffer.alloc(blockBytes);
  new Header({ path, size, mode, type, linkpath, mtime: fixedTime }).encode(block, 0);
  if (fitsPlain.test(path) && fitsPlain.test(linkpath) && size <= maxPlainBytes) return block;
  const extended = new Pax({ path, size, mtime: fixedTime, ...(linkpath === '' ? {} : { linkpath }) });
  return Buffer.concat([extended.encode(), block]);
}
