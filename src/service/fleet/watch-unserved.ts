import { every } from '../every.ts';
import type { Capstan } from '../open-capstan.ts';
import { fleetStatus } from './fleet-status.ts';

const lookEveryMs = 3_000;

/** Logs, once each time that it begins, that jobs wait which no worker takes, with the command that starts one. */
export function watchUnserved(capstan: Capstan): AsyncDisposable {
  const { logger } = capstan;
  let told = new Set<string | null>();

  async function look(): Promise<void> {
    const { problems } = await fleetStatus(capstan);
    const unserved = problems.filter(({ level }) => level === 'error');
    for (const { type, message, hint } of unserved) if (!told.has(type)) logger.warn({ type, hint }, message);
    told = new Set(unserved.map(({ type }) => type));
  }
  return every(lookEveryMs, look, (error) => {
    logger.debug({ err: error }, 'Could not look for jobs that nobody takes');
  });
}
