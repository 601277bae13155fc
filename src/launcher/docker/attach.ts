import { Duplex } from 'node:stream';
import type { Container } from 'dockerode';
import type { Engine } from './engine.ts';

/** A connection to streams of a container that is made and may not run yet: what is written is its stdin, what is read are frames of its outputs. */
export async function attachTo(
  engine: Engine,
  container: Container,
  streams: readonly ('stdin' | 'stdout' | 'stderr')[],
): Promise<Duplex> {
  // Said in this way nothing is sent but the head: the library would have the worker read its options, or wait for more of the request.
  const request = {
    _query: { stream: true, ...Object.fromEntries(streams.map((name) => [name, true])) },
    _body: {},
    hijack: true,
  };
  const stream = await engine.ask('attach to the container', (limit) =>
    container.attach({ ...request, abortSignal: limit }),
  );
  if (!(stream instanceof Duplex)) throw new Error('The container was removed before it was started.');
  // Its end says that the connection is gone, which is all there is to know.
  stream.on('error', () => undefined);
  return stream;
}
