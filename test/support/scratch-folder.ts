import { mkdtempSync } from 'node:fs';
import { chmod, mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { removeTree } from '../../src/artifacts/remove-tree.ts';

/** What a test's tree holds: contents; `{link}` a link; `{exec}` an executable; null an empty folder. */
export type TreeSpec = Readonly<
  Record<string, string | Buffer | null | { readonly link: string } | { readonly exec: string | Buffer }>
>;

/** A temporary folder that is removed after the test. */
export function scratchFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'capstan-artifacts-'));
  onTestFinished(() => removeTree(folder));
  return folder;
}

export async function makeTree(root: string, spec: TreeSpec): Promise<string> {
  await mkdir(root, { recursive: true });
  for (const [path, content] of Object.entries(spec)) {
    const full = join(root, path);
    await mkdir(dirname(full), { recursive: true });
    if (content === null) await mkdir(full, { recursive: true });
    else if (typeof content === 'string' || Buffer.isBuffer(content)) await writeFile(full, content);
    else if ('link' in content) await symlink(content.link, full);
    else {
      await writeFile(full, content.exec);
      await chmod(full, 0o755);
    }
  }
  return root;
}

/** Runs `work` as a user without rights of its own, where the tests run as root, whom no mode stops. */
export async function unprivileged<T>(work: () => Promise<T>): Promise<T> {
  if (process.geteuid?.() !== 0) return work();
  process.seteuid?.(65_534);
  try {
    return await work();
  } finally {
    process.seteuid?.(0);
  }
}

export async function leftovers(folder: string): Promise<readonly string[]> {
  return (await readdir(folder, { recursive: true })).filter((name) => name.includes('partial'));
}
