import type { Logger } from '../../domain/logger.ts';
import type { Runner } from '../../domain/runner.ts';
import { probeContainment, type Containment } from '../../supervisor/contain.ts';
import { probeJail, type Jail } from '../../supervisor/jail.ts';
import type { Capstan } from '../open-capstan.ts';
import { ownScratch } from '../workers/own-scratch.ts';

/** What every tool is run with. */
export interface ToolRoom {
  readonly commandPath: string;
  readonly containment: Containment;
  readonly jail: Jail;
  readonly scratchDir: string;
  readonly logger: Logger;
}

/** Makes a runner with a scratch folder of its own and what this machine can hold tools with; the folder goes after the runner. */
export async function openToolRoom(
  { config, commandPath, logger }: Capstan,
  signal: AbortSignal,
  create: (room: ToolRoom) => Promise<Runner>,
): Promise<Runner> {
  const [containment, jail] = await Promise.all([probeContainment(signal), probeJail(signal)]);
  if (containment.kind !== 'pid_namespace')
    logger.info({ why: containment.why }, 'Tools are held by their process group and a mark alone');
  if (jail.kind === 'none')
    logger.warn({ why: jail.why }, 'Tools see the files and the network of this user');
  await using opening = new AsyncDisposableStack();
  const scratch = opening.use(await ownScratch(config.dataDir));
  const runner = await create({
    commandPath,
    containment,
    jail,
    scratchDir: scratch.path,
    logger: logger.child({ room: 'tools' }),
  });
  const held = opening.move();
  return {
    ...runner,
    async [Symbol.asyncDispose]() {
      await runner[Symbol.asyncDispose]();
      await held.disposeAsync();
    },
  };
}
