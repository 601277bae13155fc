import path from 'node:path';
import type { Child, ChildSpec } from '../../src/supervisor/child.ts';
import { createChildChannel, type ChildChannelOptions } from '../../src/supervisor/json-rpc/child-channel.ts';
import {
  createConnection,
  type RpcConnection,
  type RpcFault,
} from '../../src/supervisor/json-rpc/connection.ts';
import { createSupervisor } from '../../src/supervisor/supervisor.ts';
import type {
  Supervisor,
  SupervisorEvent,
  SupervisorOptions,
} from '../../src/supervisor/supervisor-options.ts';
import type { SupervisorTime } from '../../src/supervisor/time.ts';
import { deferred, within, type Deferred } from '../../src/runtime/wait.ts';
import { AppError } from '../../src/runtime/app-error.ts';
import { runVariable, testRunId } from './test-run.ts';

export const deadline = { signal: new AbortController().signal, timeoutMs: 20_000 };

export function workerSpec(part: string, env: Readonly<Record<string, string>> = {}): ChildSpec {
  return {
    command: process.execPath,
    args: [
      '--disable-warning=ExperimentalWarning',
      path.join(import.meta.dirname, '../children/worker.ts'),
      part,
    ],
    env: { [runVariable]: testRunId(), ...env },
    cwd: path.join(import.meta.dirname, '../children'),
  };
}

type EventOf<Type extends SupervisorEvent['type']> = Extract<SupervisorEvent, { type: Type }>;

/** What happened, and waits for what will. */
export interface EventLog {
  readonly all: readonly SupervisorEvent[];
  readonly add: (event: SupervisorEvent) => void;
  types(): readonly SupervisorEvent['type'][];
  /** The `count`th event of a type, from 1. */
  nth<Type extends SupervisorEvent['type']>(type: Type, count?: number): Promise<EventOf<Type>>;
}

function createEventLog(): EventLog {
  const all: SupervisorEvent[] = [];
  let more: Deferred<void> = deferred();
  return {
    all,
    add: (event) => {
      all.push(event);
      more.resolve();
    },
    types: () => all.map(({ type }) => type),
    nth: async (type, count = 1) => {
      for (;;) {
        const found = all.filter((event): event is EventOf<typeof type> => event.type === type)[count - 1];
        if (found !== undefined) return found;
        more = deferred();
        const late = (): AppError =>
          new AppError('timeout', 'no_event', `${type} did not come: ${JSON.stringify(all)}`);
        await within(more.promise, deadline.timeoutMs, late);
      }
    },
  };
}

/** A clock that stands still until it is moved. */
export interface HandTime extends SupervisorTime {
  /** Moves the clock and calls what became due, in order. */
  advance(ms: number): void;
}

export function createHandTime(): HandTime {
  let nowMs = 1_000_000;
  const due = new Set<{ readonly atMs: number; readonly call: () => void }>();
  return {
    wallMs: () => nowMs,
    monotonicMs: () => nowMs,
    after: (ms, call) => {
      const entry = { atMs: nowMs + ms, call };
      due.add(entry);
      return () => due.delete(entry);
    },
    advance: (ms) => {
      nowMs += ms;
      const ripe = [...due].filter(({ atMs }) => atMs <= nowMs).sort((one, two) => one.atMs - two.atMs);
      for (const entry of ripe) if (due.delete(entry)) entry.call();
    },
  };
}

export interface SupervisedWorker extends AsyncDisposable {
  readonly supervisor: Supervisor<RpcConnection>;
  readonly events: EventLog;
  readonly faults: RpcFault[];
  readonly notifications: (readonly [string, unknown])[];
  readonly stderrLines: { readonly line: string; readonly truncated: boolean }[];
}

export type WorkerOptions = Partial<SupervisorOptions<RpcConnection>> & {
  readonly spec?: Partial<ChildSpec>;
  readonly channel?: ChildChannelOptions;
  /** Called for each child before its handshake. */
  readonly onConnection?: (connection: RpcConnection, child: Child) => void;
};

/** A started supervisor over `test/children/worker.ts` in one of its parts; stopped when disposed. */
export function superviseWorker(part: string, options: WorkerOptions = {}): SupervisedWorker {
  const { spec, channel, onConnection, ...given } = options;
  const events = createEventLog();
  const faults: RpcFault[] = [];
  const notifications: (readonly [string, unknown])[] = [];
  const stderrLines: { line: string; truncated: boolean }[] = [];
  const supervisor = createSupervisor<RpcConnection>(
    { ...workerSpec(part), ...spec },
    {
      containment: { kind: 'process_group', prefix: [], why: 'the test asks for none' },
      onEvent: events.add,
      onStderrLine: (line, truncated) => stderrLines.push({ line, truncated }),
      random: () => 0,
      ready: async (child, signal) => {
        const connection = createConnection(createChildChannel(child, channel), {
          onNotification: (method, params) => notifications.push([method, params]),
          onFault: (fault) => faults.push(fault),
          requestHandlers: {},
        });
        onConnection?.(connection, child);
        await connection.request('initialize', {}, { signal, timeoutMs: 60_000 });
        return connection;
      },
      startupTimeoutMs: deadline.timeoutMs,
      ...given,
    },
  );
  supervisor.start();
  return {
    supervisor,
    events,
    faults,
    notifications,
    stderrLines,
    [Symbol.asyncDispose]: () => supervisor.stop(),
  };
}
