/** A parent to be killed: supervises `worker.ts` in the best containment there is, has it leave a process behind, and says so. */
import path from 'node:path';
import { createChildChannel } from '../../src/supervisor/json-rpc/child-channel.ts';
import { createConnection } from '../../src/supervisor/json-rpc/connection.ts';
import { probeContainment } from '../../src/supervisor/contain.ts';
import { createSupervisor } from '../../src/supervisor/supervisor.ts';

const { signal } = new AbortController();
const limits = { signal, timeoutMs: 10_000 };
const supervisor = createSupervisor(
  {
    command: process.execPath,
    args: [path.join(import.meta.dirname, 'worker.ts')],
    env: { ...(process.env as Record<string, string>) },
    cwd: '/',
  },
  {
    containment: await probeContainment(signal),
    ready: async (child) => {
      const connection = createConnection(createChildChannel(child), {
        onNotification: () => undefined,
        requestHandlers: {},
        onFault: () => undefined,
      });
      await connection.request('initialize', {}, limits);
      return connection;
    },
  },
);
supervisor.start();
const connection = await supervisor.whenReady(signal, 10_000);
await connection.request('leave-behind', {}, limits);
process.stdout.write('left behind\n');
