import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { AppError, hasErrno } from '../runtime/app-error.ts';

export interface ListenOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
}

/** Starts listening and gives the server's URL. Throws `port_taken`, `port_forbidden`, `address_unknown` (kind `configuration`). */
export async function listen(server: FastifyInstance, { host, port }: ListenOptions): Promise<string> {
  try {
    await server.listen({ host, port });
  } catch (error) {
    const refused = (code: string, message: string, hint: string): AppError =>
      new AppError('configuration', code, message, { hint, cause: error });
    if (hasErrno(error, 'EADDRINUSE')) {
      throw refused(
        'port_taken',
        `Port ${port} on ${host} is taken by another program.`,
        'Choose another with --port, or stop that program.',
      );
    }
    if (hasErrno(error, 'EACCES'))
      throw refused(
        'port_forbidden',
        `This user may not listen on port ${port}.`,
        'Choose one above 1023 with --port.',
      );
    if (hasErrno(error, 'EADDRNOTAVAIL', 'ENOTFOUND', 'EAI_AGAIN')) {
      throw refused(
        'address_unknown',
        `This machine has no address '${host}'.`,
        'Set http.host to one that it has, such as 127.0.0.1.',
      );
    }
    throw error;
  }
  const address = server.server.address() as AddressInfo;
  const shown = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  return `http://${shown}:${address.port}`;
}
