import { Header } from 'tar';
import { corruptArchive, refuseEntry } from './archive-entry.ts';
import { type ByteReader, createByteReader } from './byte-reader.ts';
import { showName } from './file-error.ts';
import { blockBytes, padding } from './tar-header.ts';

/** An entry as the archive has it: nothing is checked but the format. */
export interface TarEntry {
  readonly kind: 'file' | 'folder' | 'link' | 'hard_link' | 'other';
  readonly path: string;
  readonly target: string;
  readonly mode: number;
  readonly sizeBytes: number;
  /** The file's bytes; what is not read of them is skipped when the next entry is asked for. */
  body(): AsyncGenerator<Buffer>;
}

/** Names and other extensions of one entry; no honest archive needs more. */
const maxExtensionBytes = 1024 ** 2;

const kinds: Readonly<Record<string, TarEntry['kind']>> = {
  File: 'file',
  OldFile: 'file',
  ContiguousFile: 'file',
  Directory: 'folder',
  SymbolicLink: 'link',
  Link: 'hard_link',
};

type Extension = Readonly<Record<string, string>>;

/**
 * Records of a pax header: `<length> <key>=<value>\n`, the length counting the whole record (POSIX pax(1)). By length, not by line: a
 * value may hold newlines, and tar 7.5's own parser drops such a name without a word.
 */
function parsePax(bytes: Buffer): Extension {
  const records: Record<string, string> = {};
  for (let at = 0; at < bytes.length;) {
    const space = bytes.indexOf(0x20, at);
    const length = Number(bytes.toString('latin1', at, Math.max(at, space)));
    const end = at + length;
    if (space === -1 || !Number.isInteger(length) || end <= space || end > bytes.length) {
      throw corruptArchive('an extended header is broken');
    }
    const record = bytes.toString('utf8', space + 1, end - 1);
    const equals = record.indexOf('=');
    if (equals > 0) records[record.slice(0, equals)] = record.slice(equals + 1);
    at = end;
  }
  return records;
}

async function readExtension(reader: ByteReader, header: Header): Promise<Buffer> {
  const sizeBytes = header.size ?? 0;
  if (sizeBytes > maxExtensionBytes) throw refuseEntry(header.path ?? '', 'has an oversized extended header');
  const bytes = await reader.take(sizeBytes + padding(sizeBytes).length);
  if (bytes.length < sizeBytes) throw corruptArchive('it ends in the middle of an extended header');
  return bytes.subarray(0, sizeBytes);
}

const untilNul = (bytes: Buffer): string => {
  const nul = bytes.indexOf(0);
  return bytes.toString('utf8', 0, nul === -1 ? bytes.length : nul);
};

function parseHeader(block: Buffer): Header {
  const header = new Header(block);
  if (!header.cksumValid) throw corruptArchive('a header has a wrong checksum');
  return header;
}

function sizeOf(header: Header, extension: Extension, path: string): number {
  const stated = extension['size'];
  const sizeBytes = stated === undefined ? (header.size ?? 0) : Number(stated);
  if (Number.isSafeInteger(sizeBytes) && sizeBytes >= 0) return sizeBytes;
  throw corruptArchive(`the size of ${showName(path)} is no number`);
}

/** The entries of a tar stream, one after the other; throws `archive_corrupt` where the format is broken. */
export async function* readTar(pieces: AsyncIterable<Buffer>): AsyncGenerator<TarEntry> {
  const iterator = pieces[Symbol.asyncIterator]();
  const reader = createByteReader(iterator);
  let extension: Extension = {};
  let blocks = 0;
  try {
    for (;;) {
      const block = await reader.take(blockBytes);
      if (block.length === 0 && blocks > 0) return;
      if (block.length < blockBytes) throw corruptArchive('it ends in the middle of a header');
      blocks++;
      // The end mark. What follows is read all the same: the checksum of the compressed stream stands at its end.
      if (block.every((byte) => byte === 0)) {
        while ((await reader.some(Number.MAX_SAFE_INTEGER)) !== null);
        return;
      }
      const header = parseHeader(block);
      const type: string = header.type;
      if (type === 'ExtendedHeader' || type === 'OldExtendedHeader') {
        extension = { ...extension, ...parsePax(await readExtension(reader, header)) };
        continue;
      }
      if (type === 'GlobalExtendedHeader') {
        await readExtension(reader, header);
        continue;
      }
      if (type === 'NextFileHasLongPath' || type === 'OldGnuLongPath') {
        extension = { ...extension, path: untilNul(await readExtension(reader, header)) };
        continue;
      }
      if (type === 'NextFileHasLongLinkpath') {
        extension = { ...extension, linkpath: untilNul(await readExtension(reader, header)) };
        continue;
      }

      const path = extension['path'] ?? header.path ?? '';
      const sparse = Object.keys(extension).some((key) => key.startsWith('GNU.sparse'));
      const kind = sparse ? 'other' : (kinds[type] ?? 'other');
      const stated = sizeOf(header, extension, path);
      const sizeBytes = kind === 'file' || kind === 'other' ? stated : 0;
      let left = sizeBytes;
      const body = async function* (): AsyncGenerator<Buffer> {
        while (left > 0) {
          const part = await reader.some(left);
          if (part === null) throw corruptArchive(`it ends in the middle of ${showName(path)}`);
          left -= part.length;
          yield part;
        }
      };
      yield {
        kind,
        path,
        target: extension['linkpath'] ?? header.linkpath ?? '',
        mode: header.mode ?? 0o644,
        sizeBytes,
        body,
      };
      const unread = body();
      while ((await unread.next()).done !== true);
      await reader.take(padding(sizeBytes).length);
      extension = {};
    }
  } finally {
    await iterator.return?.();
  }
}
