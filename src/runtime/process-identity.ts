import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { hasErrno } from './app-error.ts';
import { isDead, readProcessStat } from './process-stat.ts';

/** Which process it is, for good: a pid alone may be given to another process later. */
interface ProcessIdentity {
  readonly host: string;
  readonly pid: number;
  readonly startToken: string;
}

/** The identity of this process. Its start token is `boot id/pid namespace/start ticks`, empty where there is no /proc. */
export function currentProcessIdentity(): ProcessIdentity {
  const scope = pidScope();
  const stat = readProcessStat(process.pid);
  const startToken = scope === '' || stat === null ? '' : `${scope}/${stat.startTicks}`;
  return { host: hostname(), pid: process.pid, startToken };
}

/**
 * Whether the process still runs; a zombie does not. True also where it cannot be told from here
 * (another host, another container): only what is proven dead reads false.
 */
export function isAlive(identity: ProcessIdentity): boolean {
  if (identity.host !== hostname()) return true;
  if (identity.startToken === '') return answersSignals(identity.pid);
  const [boot, namespace, startTicks] = identity.startToken.split('/');
  const [bootNow, namespaceNow] = pidScope().split('/');
  if (boot !== bootNow) return false;
  if (namespace !== namespaceNow) return true;
  const stat = readProcessStat(identity.pid);
  // With `hidepid` /proc does not show the processes of other users, but signal 0 still tells.
  if (stat === null) return answersSignals(identity.pid);
  return stat.startTicks === startTicks && !isDead(stat);
}

/** Whether the process is known to be stopped (SIGSTOP, a debugger): it lives and does nothing. */
export function isSuspended(identity: ProcessIdentity): boolean {
  const [boot, namespace, startTicks] = identity.startToken.split('/');
  if (identity.host !== hostname() || `${boot ?? ''}/${namespace ?? ''}` !== pidScope()) return false;
  const stat = readProcessStat(identity.pid);
  return stat !== null && stat.startTicks === startTicks && /^[Tt]$/.test(stat.state);
}

/** Boot and pid namespace: a pid means nothing outside of them. Empty where there is no /proc. */
function pidScope(): string {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return `${boot}/${readlinkSync('/proc/self/ns/pid')}`;
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'EACCES', 'EPERM')) return '';
    throw error;
  }
}

function answersSignals(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    if (hasErrno(error, 'ESRCH')) return false;
    if (hasErrno(error, 'EPERM')) return true;
    throw error;
  }
}
