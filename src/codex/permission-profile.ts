import path from 'node:path';
import type { SandboxMode } from '../contract/codex-job.ts';
import { isInside } from './is-inside.ts';

type Access = 'read' | 'write' | 'deny';

/** A `[permissions.NAME]` table of Codex. A path's own entry beats that of the folder it lies in. */
export interface PermissionProfile {
  readonly filesystem: Readonly<Record<string, Access>>;
  readonly network: { readonly enabled: boolean };
}

export interface ProfileInput {
  readonly sandboxMode: SandboxMode;
  readonly network: boolean;
  readonly workspaceDir: string;
  readonly homeDir: string;
  readonly tmpDir: string;
  readonly deniedPaths: readonly string[];
}

/**
 * What a job's commands may touch; null where they run without a sandbox. HOME and TMPDIR are the job's own and stay writable when the
 * workspace is not: a login shell and most tools need them.
 */
export function permissionProfile(input: ProfileInput): PermissionProfile | null {
  const { sandboxMode, workspaceDir, homeDir, tmpDir, deniedPaths } = input;
  if (sandboxMode === 'danger-full-access') return null;
  const isHidden = deniedPaths.some((dir) => isInside(workspaceDir, dir));
  // Codex opens a denied folder again for writing only; inside what is writable, reading can be said.
  const around = sandboxMode === 'read-only' && isHidden ? [path.dirname(workspaceDir)] : [];
  // TMPDIR only where it is not in HOME: Codex puts a read-only `.git` and `.codex` into every writable root.
  const own = isInside(tmpDir, homeDir) ? [homeDir] : [homeDir, tmpDir];
  const writable = [...around, ...own, ...(sandboxMode === 'workspace-write' ? [workspaceDir] : [])];
  return {
    filesystem: {
      ':root': 'read',
      ...entries(outermost(deniedPaths, writable), 'deny'),
      ...entries(writable, 'write'),
      ...entries([workspaceDir], sandboxMode === 'workspace-write' ? 'write' : 'read'),
    },
    network: { enabled: input.network },
  };
}

/** Without what another one hides already: the sandbox fails, and every command with it, on a denied folder inside a denied one. */
function outermost(denied: readonly string[], writable: readonly string[]): readonly string[] {
  const hides = (outer: string, inner: string): boolean =>
    outer !== inner &&
    isInside(inner, outer) &&
    !writable.some((dir) => isInside(inner, dir) && isInside(dir, outer));
  return [...new Set(denied)].filter((inner) => !denied.some((outer) => hides(outer, inner)));
}

function entries(dirs: readonly string[], access: Access): Record<string, Access> {
  return Object.fromEntries(dirs.map((dir) => [dir, access]));
}
