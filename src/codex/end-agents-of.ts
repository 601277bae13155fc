import type { ProcessIdentity } from '../domain/worker.ts';
import { killMarked } from '../supervisor/kill-marked.ts';

const ownerVariable = 'CAPSTAN_OWNER';
const killLimitMs = 10_000;

/** In the environment of every Codex process that is not bound to one attempt: whose it is. */
export function ownerEnvironment(owner: ProcessIdentity): Readonly<Record<string, string>> {
  return { [ownerVariable]: [owner.host, owner.pid, owner.startToken].join(' ') };
}

/** Resolves when no Codex process that `owner`, a process on this host, has started is alive. Rejects with `leftovers_alive`. */
export async function endAgentsOf(owner: ProcessIdentity): Promise<void> {
  const [marker] = Object.entries(ownerEnvironment(owner)).map(([name, value]) => `${name}=${value}`);
  await killMarked(marker ?? ownerVariable, {
    signal: AbortSignal.timeout(2 * killLimitMs),
    limitMs: killLimitMs,
  });
}
