import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';

/**
 * Writes a file with a single root certificate into a folder, for a Codex whose model is on this machine: it reads all roots anew for every
 * thread and every turn, a third of what it does for a short one, though it opens no TLS connection. An empty file is an error for it.
 */
export async function writeOneCertificate(folder: string): Promise<string> {
  const file = join(folder, 'certificate.pem');
  await writeFile(file, `${rootCertificates[0] ?? ''}\n`, { mode: 0o600 });
  return file;
}
