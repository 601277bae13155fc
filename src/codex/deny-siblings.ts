import { readdir } from 'node:fs/promises';
import path from 'node:path';
import type { AgentThreadRequest } from './driver.ts';
import { isInside } from './is-inside.ts';

/**
 * A read-only workspace inside a denied folder can only be shown by making the folder around it writable (see permission-profile.ts):
 * denies what else lies in there.
 */
export async function denySiblings(request: AgentThreadRequest): Promise<AgentThreadRequest> {
  const { workspaceDir, homeDir, tmpDir, deniedPaths, sandboxMode } = request;
  const around = path.dirname(workspaceDir);
  if (sandboxMode !== 'read-only' || !deniedPaths.some((dir) => isInside(workspaceDir, dir))) return request;
  const siblings = (await readdir(around)).map((name) => path.join(around, name));
  const used = [workspaceDir, homeDir, tmpDir];
  const others = siblings.filter((sibling) => !used.some((dir) => isInside(dir, sibling)));
  return { ...request, deniedPaths: [...deniedPaths, ...others] };
}
