import { readFile, writeFile } from 'node:fs/promises';
import { rootCertificates } from 'node:tls';
import { hasErrno } from '../runtime/app-error.ts';

/**
 * Writes a file with a single root certificate, for a Codex whose model is on this machine: it reads all roots anew for every thread and every turn,
 * a third of what it does for a short one, though it opens no TLS connection. An empty file is an error for it.
 */
export async function writeOneCertificate(file: string): Promise<string> {
  const text = `${rootCertificates[0] ?? ''}\n`;
  if ((await readIfThere(file)) !== text) await writeFile(file, text, { mode: 0o600 });
  return file;
}

async function readIfThere(file: string): Promise<string | null> {
  return readFile(file, 'utf8').catch((error: unknown) => {
    if (hasErrno(error, 'ENOENT')) return null;
    throw error;
  });
}
