import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { createConnection, createServer, type AddressInfo } from 'node:net';
import { pause } from '../../src/runtime/wait.ts';

export interface Redis extends AsyncDisposable {
  readonly port: number;
  readonly pid: number;
}

/** `always`: every write is synced before it is answered. `default`: the configuration that redis-server has without a file. */
export type RedisSync = 'always' | 'default';

const readyLimitMs = 10_000;

/** A Redis of its own on a free port with its data in `dir`; ended and waited for when disposed. */
export async function startRedis(dir: string, sync: RedisSync): Promise<Redis> {
  await mkdir(dir, { recursive: true });
  const port = await freePort();
  const durable = sync === 'always' ? ['--appendonly', 'yes', '--appendfsync', 'always'] : [];
  const child = spawn(
    'redis-server',
    [
      '--port',
      String(port),
      '--bind',
      '127.0.0.1',
      '--dir',
      dir,
      '--daemonize',
      'no',
      '--loglevel',
      'warning',
      ...durable,
    ],
    { stdio: 'ignore' },
  );
  const exited = once(child, 'exit');
  const failed = once(child, 'error').then(([error]) => {
    throw new Error('redis-server cannot be started: scripts/install-services.sh installs it', {
      cause: error,
    });
  });
  failed.catch(() => undefined);
  await Promise.race([untilOpen(port), failed]);
  return {
    port,
    pid: child.pid ?? 0,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function untilOpen(port: number): Promise<void> {
  const untilMs = performance.now() + readyLimitMs;
  for (;;) {
    const socket = createConnection(port, '127.0.0.1');
    const open = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (open) return;
    if (performance.now() > untilMs) throw new Error(`redis-server does not answer on port ${port}`);
    await pause(20, AbortSignal.timeout(readyLimitMs));
  }
}
