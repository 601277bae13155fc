import { statSync } from 'node:fs';
import { userInfo } from 'node:os';
import { dirname } from 'node:path';

/** Who owns a file and its folder, with which permissions, and who asks: what tells why it cannot be opened. */
export function describeAccess(path: string): string {
  return `The file is ${describe(path)}; its folder is ${describe(dirname(path))}; this process is ${describeSelf()}.`;
}

function describe(path: string): string {
  try {
    const { mode, uid, gid } = statSync(path);
    return `mode ${(mode & 0o7777).toString(8).padStart(4, '0')} of user ${uid}, group ${gid}`;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ENOENT'
      ? 'not there'
      : 'out of sight';
  }
}

function describeSelf(): string {
  try {
    const { uid, username } = userInfo();
    return `user ${uid} (${username})`;
  } catch {
    // A container may run a user that has no name.
    return `user ${process.geteuid?.() ?? 'unknown'}`;
  }
}
