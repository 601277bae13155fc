import { createServer, connect, type Socket } from 'node:net';
import { once } from 'node:events';

export interface RecordingSocket extends AsyncDisposable {
  readonly path: string;
  /** All that was sent through it, in the order of its connections. */
  sent(): string;
}

/** Stands between a program and a socket, and remembers what the program says. */
export async function recordSocket(path: string, target: string): Promise<RecordingSocket> {
  const said: Buffer[][] = [];
  const open = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const chunks: Buffer[] = [];
    said.push(chunks);
    const upstream = connect({ path: target, allowHalfOpen: true });
    for (const socket of [client, upstream]) {
      open.add(socket);
      socket.once('close', () => open.delete(socket));
      // Either side may go first.
      socket.on('error', () => undefined);
    }
    client.on('data', (chunk: Buffer) => chunks.push(chunk));
    client.pipe(upstream);
    upstream.pipe(client);
  });
  server.listen(path);
  await once(server, 'listening');
  return {
    path,
    sent: () => said.map((chunks) => Buffer.concat(chunks).toString()).join('\n'),
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
