import { Readable, type Duplex } from 'node:stream';
import { finished } from 'node:stream/promises';
import type { Container } from 'dockerode';
import { createLineSplitter } from '../../runtime/line-splitter.ts';
import { startDeadline } from '../../runtime/deadline.ts';
import { AppError } from '../../runtime/app-error.ts';
import { exitOfCode } from '../../supervisor/contain.ts';
import { readStart } from '../read-start.ts';
import type { ContainerStart } from './container-child.ts';
import { handSecrets, hasSecrets, type Secrets } from '../hand-secrets.ts';
import { attachTo } from './attach.ts';
import { containerDied, ranOutOfMemory } from './container-death.ts';
import { createContainer, removeContainer, startContainer } from './containers.ts';
import { serviceRestarts } from './container-spec.ts';
import type { Engine } from './engine.ts';
import { createFrameReader } from './output-frames.ts';

export interface ServiceStart extends ContainerStart {
  readonly startLimitMs: number;
  /** Whether to wait until it takes jobs. */
  readonly wait: boolean;
  readonly memoryMb: number | null;
  /** What it is given on its stdin, where it was made with `--secrets`: then the engine does not start it again, as it could not give them. */
  readonly secrets: Secrets;
}

export interface StartedService {
  readonly containerId: string;
  /** Null where nobody waited for it. */
  readonly workerId: string | null;
}

const shownLines = 5;

/**
 * Starts a worker that outlives this process, in a container that the engine starts again when it dies. Rejects with what the worker says
 * that it failed with, `container_died`, or `worker_start_failed` after the limit; the container is removed then.
 */
export async function startServiceContainer(
  engine: Engine,
  start: ServiceStart,
  signal: AbortSignal,
): Promise<StartedService> {
  const container = await createContainer(engine, start, signal);
  const sinceMs = Date.now();
  // The wait for its end would keep this process, too.
  const watching = new AbortController();
  let stdin: Duplex | null = null;
  try {
    const ended = container.wait({ condition: 'next-exit', abortSignal: watching.signal }) as Promise<{
      StatusCode: number;
    }>;
    ended.catch(() => undefined);
    const getsSecrets = hasSecrets(start.secrets);
    stdin = getsSecrets ? await attachTo(engine, container, ['stdin']) : null;
    await startContainer(engine, container, start.image);
    if (stdin !== null) {
      handSecrets(stdin, start.secrets);
      stdin.end();
      // Where it breaks, the worker says what it was not given.
      await finished(stdin, { readable: false, signal }).catch(() => undefined);
    }
    if (!start.wait) return { containerId: container.id, workerId: null };
    using limit = startDeadline(
      start.startLimitMs,
      () =>
        new AppError(
          'infrastructure',
          'worker_start_failed',
          `The worker in the container ${start.name} did not take jobs within ${start.startLimitMs} ms.`,
          {
            hint: `The image ${start.image} may be no image of a worker, or the machine too slow: workers.start_timeout.`,
          },
        ),
    );
    const stop = AbortSignal.any([signal, limit.signal]);
    const said = await listen(container, stop);
    try {
      const workerId = await Promise.race([said.started, diedOf(ended), rejectionOf(stop)]);
      if (typeof workerId === 'string') {
        if (!getsSecrets) await container.update({ RestartPolicy: serviceRestarts });
        return { containerId: container.id, workerId };
      }
      // What it said last may still be on its way.
      await Promise.race([said.over, rejectionOf(stop)]);
      await Promise.race([said.started, Promise.resolve()]);
      throw containerDied({
        ...start,
        exit: exitOfCode(workerId.code),
        outOfMemory: await ranOutOfMemory(engine, container.id, sinceMs),
        lastLines: said.lastLines(),
      });
    } finally {
      said.close();
    }
  } catch (error) {
    await removeContainer(engine, container.id);
    throw error;
  } finally {
    watching.abort();
    stdin?.destroy();
  }
}

interface Listening {
  /** The worker's id; rejects with the failure that it told. */
  readonly started: Promise<string>;
  /** Resolves when it says nothing more. */
  readonly over: Promise<void>;
  lastLines(): readonly string[];
  close(): void;
}

async function listen(container: Container, signal: AbortSignal): Promise<Listening> {
  const follow = { follow: true, stdout: true, stderr: true, abortSignal: signal } as const;
  const stream = await container.logs(follow);
  if (!(stream instanceof Readable)) throw new Error('The log of the container cannot be followed.');
  const reader = readStart();
  let last: readonly string[] = [];
  const lines = createLineSplitter({
    onLine: (line) => {
      last = [...last, line].slice(-shownLines);
    },
    onOverlong: () => undefined,
  });
  const frames = createFrameReader({
    onStdout: (chunk) => {
      reader.push(chunk);
    },
    onStderr: (chunk) => {
      lines.push(chunk);
    },
  });
  stream.on('data', (chunk: Buffer) => {
    frames.push(chunk);
  });
  // The end is what counts, however it comes.
  stream.on('error', () => undefined);
  const over = new Promise<void>((resolve) => {
    stream.once('close', resolve);
  });
  return {
    started: reader.started,
    over,
    lastLines: () => last,
    close: () => {
      stream.destroy();
    },
  };
}

async function diedOf(ended: Promise<{ readonly StatusCode: number }>): Promise<{ readonly code: number }> {
  return { code: (await ended).StatusCode };
}

async function rejectionOf(signal: AbortSignal): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => {
    reject(signal.reason);
  };
  if (signal.aborted) onAbort();
  signal.addEventListener('abort', onAbort, { once: true });
  return promise;
}
