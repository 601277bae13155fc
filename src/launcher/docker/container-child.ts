import type { Container, ContainerCreateOptions } from 'dockerode';
import { createLineSplitter } from '../../runtime/line-splitter.ts';
import { pause } from '../../runtime/wait.ts';
import type { Child, ChildExit, ChildOptions } from '../../supervisor/child.ts';
import { exitOfCode } from '../../supervisor/contain.ts';
import { createTailBuffer } from '../../supervisor/tail-buffer.ts';
import { createContainer, removeContainer, startContainer, type ContainerName } from './containers.ts';
import { attachTo } from './attach.ts';
import type { Engine } from './engine.ts';
import { createFrameReader } from './output-frames.ts';

export interface ContainerChild extends Child {
  readonly containerId: string;
}

export interface ContainerStart extends ContainerName {
  readonly image: string;
  readonly body: ContainerCreateOptions;
}

const tailBytes = 8 * 1024;
const maxLogLineBytes = 64 * 1024;
/** How long what a container wrote last may be on its way. */
const outputLimitMs = 250;
const noExit: ChildExit = { code: null, signal: null };

/**
 * A container as a child of this process: its stdin ends with this process, however that ends, and the engine removes it when it has ended.
 * Rejects with what the engine refuses it for; nothing of it is left then.
 */
export async function startContainerChild(
  engine: Engine,
  start: ContainerStart,
  options: ChildOptions,
): Promise<ContainerChild> {
  const container = await createContainer(engine, start);
  try {
    return await run(engine, container, { ...options, image: start.image });
  } catch (error) {
    await removeContainer(engine, container.id);
    throw error;
  }
}

async function run(
  engine: Engine,
  container: Container,
  options: ChildOptions & { readonly image: string },
): Promise<ContainerChild> {
  // Before the start: what is over at once is seen all the same.
  const stream = await attachTo(engine, container, ['stdin', 'stdout', 'stderr']);
  const removed = whenRemoved(container);
  const startup = createTailBuffer(tailBytes);
  const stderrTail = createTailBuffer(tailBytes);
  const listeners = new Set<(chunk: Buffer) => void>();
  let starting = true;
  const stderrLines = createLineSplitter({
    onLine: (line) => options.onStderrLine?.(line, false),
    onOverlong: (head) => options.onStderrLine?.(head, true),
    maxLineBytes: maxLogLineBytes,
  });
  const frames = createFrameReader({
    onStdout: (chunk) => {
      if (starting) startup.push(chunk);
      for (const listener of listeners) listener(chunk);
    },
    onStderr: (chunk) => {
      if (starting) startup.push(chunk);
      stderrTail.push(chunk);
      stderrLines.push(chunk);
    },
  });
  const closed = new Promise<void>((resolve) => {
    stream.once('close', resolve);
  });

  try {
    await startContainer(engine, container, options.image);
  } catch (error) {
    stream.destroy();
    throw error;
  }
  const pid = await firstProcess(engine, container);
  // Last: nothing is read before whoever gets the child can listen.
  stream.on('data', (chunk: Buffer) => {
    frames.push(chunk);
  });

  const finish = async (): Promise<ChildExit> => {
    const exit = await removed;
    const limit = new AbortController();
    await Promise.race([closed, pause(outputLimitMs, limit.signal)]);
    limit.abort();
    stream.destroy();
    stderrLines.end();
    return exit;
  };

  return {
    containerId: container.id,
    pid,
    stdin: stream,
    onOutput: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    exited: finish(),
    kill: (signal) => {
      // What the engine makes of it is seen by the container's end.
      container.kill({ signal }).catch(() => undefined);
      return true;
    },
    startupOutput: () => startup.text(),
    forgetStartup: () => {
      starting = false;
      startup.clear();
    },
    stderrTail: () => stderrTail.text(),
  };
}

/** An engine that ends takes its containers along, or lets them go on without their stdin, which they leave by. */
async function whenRemoved(container: Container): Promise<ChildExit> {
  try {
    const { StatusCode: code } = (await container.wait({ condition: 'removed' })) as { StatusCode: number };
    return exitOfCode(code);
  } catch {
    // The connection broke: the container is not ours to watch any more.
    return noExit;
  }
}

async function firstProcess(engine: Engine, container: Container): Promise<number> {
  const found = await engine.ask('look at the container', () => container.inspect());
  return found?.State.Pid ?? 0;
}
