import { open, mkdtemp, rmdir, unlink, type FileHandle } from 'node:fs/promises';
import path from 'node:path';

/** A file without a name that holds `text`, for a child to inherit: nobody finds it on the disk. The caller closes the handle. */
export async function privateFile(scratchDir: string, text: string): Promise<FileHandle> {
  const dir = await mkdtemp(path.join(scratchDir, 'exec-'));
  const name = path.join(dir, 'config');
  const file = await open(name, 'wx+', 0o600);
  try {
    // The name goes before the text comes.
    await unlink(name);
    await rmdir(dir);
    await file.write(text, 0);
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}
