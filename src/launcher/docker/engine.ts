import { access } from 'node:fs/promises';
import type Docker from 'dockerode';
import { AppError } from '../../runtime/app-error.ts';
import { deferred } from '../../runtime/wait.ts';
import { asEngineError, engineUnavailable, statusOf } from './engine-error.ts';

/** What of an engine decides how containers are made. */
export interface EngineFacts {
  readonly id: string;
  readonly version: string;
  /** Its root is an ordinary user of this machine. */
  readonly rootless: boolean;
  /** Users in containers are others on this machine, unless a container asks otherwise. */
  readonly remapsUsers: boolean;
  readonly apparmor: boolean;
  readonly selinux: boolean;
}

/** The engine of this machine. */
export interface Engine {
  readonly docker: Docker;
  readonly facts: EngineFacts;
  /**
   * One question to it, which takes so long at most. Rejects with `docker_unavailable`, `docker_forbidden`, `docker_failed`, the
   * signal's reason, or gives null where it answers that there is no such thing.
   */
  ask<T>(
    what: string,
    question: (signal: AbortSignal) => Promise<T>,
    signal?: AbortSignal,
  ): Promise<T | null>;
  /** The same for what may take longer. */
  within<T>(what: string, limitMs: number, question: (signal: AbortSignal) => Promise<T>): Promise<T | null>;
}

const answerLimitMs = 60_000;
const greetLimitMs = 10_000;
const notFound = 404;

/** Rejects with `docker_unavailable`, `docker_forbidden`, or `docker_unsuitable` where it runs no Linux containers. */
export async function connectEngine(socketPath: string, signal?: AbortSignal): Promise<Engine> {
  // The library costs a tenth of a second: not where there is nothing to talk to.
  if (!socketPath.startsWith('//')) {
    await access(socketPath).catch((error: unknown) => {
      throw asEngineError(error, '');
    });
  }
  const { default: Client } = await import('dockerode');
  // Said explicitly, so that the library asks no environment variable of its own.
  const docker = new Client({ socketPath, host: undefined, port: undefined, protocol: 'http' });
  const info = await ask('tell about itself', () => docker.info() as Promise<EngineInfo>, {
    signal,
    limitMs: greetLimitMs,
  });
  if (info === null) throw engineUnavailable(`${socketPath} is the socket of something else.`);
  if (info.OSType !== 'linux') {
    throw new AppError(
      'configuration',
      'docker_unsuitable',
      `The Docker engine runs ${info.OSType} containers.`,
      {
        hint: 'Switch it to Linux containers, or use --workers=direct.',
      },
    );
  }
  return {
    docker,
    facts: factsOf(info),
    ask: (what, question, more) => ask(what, question, { signal: more, limitMs: answerLimitMs }),
    within: (what, limitMs, question) => ask(what, question, { signal: undefined, limitMs }),
  };
}

interface EngineInfo {
  readonly ID: string;
  readonly ServerVersion: string;
  readonly OSType: string;
  readonly SecurityOptions: readonly string[] | null;
}

function factsOf(info: EngineInfo): EngineFacts {
  const has = (name: string): boolean =>
    (info.SecurityOptions ?? []).some((option) => option.split(',').includes(`name=${name}`));
  return {
    id: info.ID,
    version: info.ServerVersion,
    rootless: has('rootless'),
    remapsUsers: has('userns'),
    apparmor: has('apparmor'),
    selinux: has('selinux'),
  };
}

interface Limits {
  readonly signal: AbortSignal | undefined;
  readonly limitMs: number;
}

async function ask<T>(
  what: string,
  question: (signal: AbortSignal) => Promise<T>,
  { signal, limitMs }: Limits,
): Promise<T | null> {
  signal?.throwIfAborted();
  const limit = AbortSignal.timeout(limitMs);
  const over = signal === undefined ? limit : AbortSignal.any([limit, signal]);
  const { promise: ended, reject } = deferred<never>();
  const onOver = (): void => {
    reject(over.reason);
  };
  over.addEventListener('abort', onOver, { once: true });
  try {
    // Not every question of the library takes a signal.
    return await Promise.race([question(over), ended]);
  } catch (error) {
    signal?.throwIfAborted();
    if (limit.aborted) throw engineUnavailable(`it did not ${what} within ${limitMs} ms.`, error);
    if (statusOf(error) === notFound) return null;
    throw asEngineError(error, what);
  } finally {
    over.removeEventListener('abort', onOver);
  }
}
