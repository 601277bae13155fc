import { readFileSync } from 'node:fs';
import { chmod, writeFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { AppError } from '../../src/runtime/app-error.ts';
import { childPids, readProcessStat } from '../../src/runtime/process-stat.ts';
import { createHandTime, deadline, superviseWorker } from '../support/supervised-worker.ts';
import { tempDir } from '../support/temp-dir.ts';

const { signal, timeoutMs } = deadline;

describe('a start', () => {
  test('is ready when the handshake is answered, and says so', async () => {
    await using worker = superviseWorker('good');
    expect(worker.supervisor.snapshot()).toMatchObject({
      ready: false,
      reason: 'worker_starting',
      pid: null,
    });
    const connection = await worker.supervisor.whenReady(signal, timeoutMs);
    expect(connection).toBe(worker.supervisor.current());
    expect(worker.supervisor.snapshot()).toMatchObject({
      running: true,
      ready: true,
      reason: 'ready',
      restartsTotal: 0,
      consecutiveFailures: 0,
      lastExit: null,
      nextRestartDelayMs: null,
    });
    expect(worker.events.types()).toEqual(['worker_launch', 'worker_spawned', 'worker_ready']);
    const { pid } = await worker.events.nth('worker_spawned');
    expect(worker.supervisor.snapshot().pid).toBe(pid);
  });

  test('gives the child the environment and folder of its spec and nothing else', async () => {
    await using worker = superviseWorker('good', { spec: { env: { ONLY: 'this' }, cwd: '/' } });
    const connection = await worker.supervisor.whenReady(signal, timeoutMs);
    expect(await connection.request('who-am-i', {}, deadline)).toMatchObject({
      env: { ONLY: 'this' },
      cwd: '/',
    });
    const { env } = (await connection.request('who-am-i', {}, deadline)) as { env: object };
    expect(Object.keys(env)).toEqual(['ONLY']);
  });

  test('that is answered late is ready then, and not before', async () => {
    let release = async (): Promise<void> => {};
    await using worker = superviseWorker('ready-late', {
      onConnection: (connection) => {
        release = () => connection.notify('release');
      },
    });
    await worker.events.nth('worker_spawned');
    expect(worker.supervisor.snapshot()).toMatchObject({ ready: false, reason: 'handshake_pending' });
    expect(worker.supervisor.current()).toBeNull();
    await release();
    await worker.supervisor.whenReady(signal, timeoutMs);
    expect(worker.supervisor.snapshot().ready).toBe(true);
  });

  test('that takes too long has failed, ends the child and is tried again', async () => {
    const time = createHandTime();
    await using worker = superviseWorker('never-ready', { time, startupTimeoutMs: 8_000 });
    await worker.events.nth('worker_spawned');
    time.advance(8_000);
    expect(await worker.events.nth('worker_exit')).toMatchObject({
      code: 0,
      error: expect.stringContaining('8000 ms'),
    });
    await worker.events.nth('worker_spawned', 2);
    expect(worker.supervisor.snapshot()).toMatchObject({
      ready: false,
      consecutiveFailures: 1,
      restartsTotal: 1,
    });
  });

  test('that the child refuses stays visible as the reason while the next one waits', async () => {
    const time = createHandTime();
    await using worker = superviseWorker('refuses-handshake', { time });
    expect(await worker.events.nth('worker_restart_scheduled', 2)).toMatchObject({
      delayMs: 500,
      attempt: 3,
    });
    expect(worker.supervisor.snapshot()).toMatchObject({
      reason: 'handshake_failed',
      running: false,
      nextRestartDelayMs: 500,
      lastExit: { error: 'initialize was refused: not today' },
    });
  });

  test.each([
    ['exits-at-start', 3, 'cannot open the database\n'],
    ['exits-in-handshake', 4, 'the handshake broke it\n'],
  ])('of a child that %s is an exit, and what it said is in the error', async (part, code, output) => {
    const faults: unknown[] = [];
    await using worker = superviseWorker(part, {
      time: createHandTime(),
      ready: async (child, over) => {
        child.stdin.write('{"id":1,"method":"initialize"}\n');
        return new Promise((_resolve, reject) => {
          over.addEventListener('abort', () => {
            faults.push(over.reason);
            reject(over.reason as Error);
          });
        });
      },
    });
    expect(await worker.events.nth('worker_exit')).toMatchObject({ code, signal: null });
    expect(faults[0]).toMatchObject({ code: 'worker_exited', details: { output } });
  });

  test('of a child that floods stderr before it is ready does not stall', async () => {
    await using worker = superviseWorker('floods-stderr');
    await worker.supervisor.whenReady(signal, timeoutMs);
    await worker.supervisor.stop();
    expect(worker.stderrLines).toEqual([{ line: 'e'.repeat(64 * 1024), truncated: true }]);
  });

  test('of a command that is not there names it, to everyone who waits', async () => {
    await using worker = superviseWorker('good', {
      time: createHandTime(),
      spec: { command: '/nowhere/codex' },
    });
    await expect(worker.supervisor.whenReady(signal, timeoutMs)).rejects.toMatchObject({
      kind: 'configuration',
      code: 'command_not_found',
      message: expect.stringContaining('/nowhere/codex'),
    });
    expect(await worker.events.nth('worker_exit')).toMatchObject({ pid: null, code: null });
  });

  test('of a command that is no program, or in a folder that is missing, is a configuration failure too', async () => {
    await using dir = await tempDir();
    await writeFile(dir.join('plain'), 'text');
    await chmod(dir.join('plain'), 0o644);
    const refused = async (spec: { command?: string; cwd?: string }): Promise<unknown> => {
      await using worker = superviseWorker('good', { time: createHandTime(), spec });
      return await worker.supervisor.whenReady(signal, timeoutMs).catch((error: unknown) => error);
    };
    expect(await refused({ command: dir.join('plain') })).toMatchObject({ code: 'command_not_executable' });
    expect(await refused({ command: dir.path })).toMatchObject({ code: 'command_not_executable' });
    expect(await refused({ cwd: dir.join('missing') })).toMatchObject({ code: 'folder_not_found' });
  });
});

describe('a wait for readiness', () => {
  test('ends with the reason at its limit, and with its own signal', async () => {
    await using worker = superviseWorker('never-ready');
    await worker.events.nth('worker_spawned');
    await expect(worker.supervisor.whenReady(signal, 1)).rejects.toMatchObject({
      code: 'worker_not_ready',
      details: { reason: 'handshake_pending' },
    });
    await expect(
      worker.supervisor.whenReady(AbortSignal.abort(new Error('left')), timeoutMs),
    ).rejects.toThrow('left');
  });

  test('ends with a failure that no restart can cure', async () => {
    await using worker = superviseWorker('good', {
      time: createHandTime(),
      ready: async () => {
        throw new AppError('auth', 'login_expired', 'The login has expired.');
      },
    });
    await expect(worker.supervisor.whenReady(signal, timeoutMs)).rejects.toMatchObject({
      code: 'login_expired',
    });
  });
});

describe('a crash', () => {
  test('is followed by a restart at once, and all that waited on the old child is answered', async () => {
    const time = createHandTime();
    await using worker = superviseWorker('good', { time });
    const first = await worker.supervisor.whenReady(signal, timeoutMs);
    await expect(first.request('crash', { code: 7 }, deadline)).rejects.toMatchObject({
      code: 'connection_closed',
    });
    expect(await worker.events.nth('worker_exit')).toMatchObject({ code: 7, signal: null, error: null });
    expect(await worker.events.nth('worker_restart_scheduled')).toMatchObject({ delayMs: 0, attempt: 2 });
    const second = await worker.supervisor.whenReady(signal, timeoutMs);
    expect(second).not.toBe(first);
    expect(worker.supervisor.snapshot()).toMatchObject({
      ready: true,
      restartsTotal: 1,
      consecutiveFailures: 1,
      lastExit: { atMs: time.wallMs(), code: 7, signal: null },
    });
    time.advance(60_000);
    expect(worker.supervisor.snapshot().consecutiveFailures).toBe(0);
  });

  test('by a signal names the signal', async () => {
    await using worker = superviseWorker('good', { time: createHandTime() });
    await worker.supervisor.whenReady(signal, timeoutMs);
    process.kill(worker.supervisor.snapshot().pid ?? 0, 'SIGKILL');
    expect(await worker.events.nth('worker_exit')).toMatchObject({ code: null, signal: 'SIGKILL' });
    await worker.events.nth('worker_ready', 2);
  });

  test('loop is slowed down more and more', async () => {
    const time = createHandTime();
    await using worker = superviseWorker('crashes-when-ready', { time });
    const delays: number[] = [];
    for (let turn = 1; turn <= 6; turn += 1) {
      const { delayMs } = await worker.events.nth('worker_restart_scheduled', turn);
      delays.push(delayMs);
      expect(worker.supervisor.snapshot()).toMatchObject({
        reason: delayMs === 0 ? expect.anything() : 'worker_restarting',
      });
      time.advance(delayMs);
    }
    expect(delays).toEqual([0, 500, 1_000, 2_000, 4_000, 5_000]);
  });

  test('after a stable minute is the first again', async () => {
    const time = createHandTime();
    await using worker = superviseWorker('good', { time });
    for (let turn = 1; turn <= 3; turn += 1) {
      await worker.events.nth('worker_ready', turn);
      time.advance(60_000);
      await worker.supervisor
        .current()
        ?.request('crash', {}, deadline)
        .catch(() => undefined);
      expect(await worker.events.nth('worker_restart_scheduled', turn)).toMatchObject({ delayMs: 0 });
    }
  });

  test('too many stop the restarts until the window has moved on, then it goes by itself', async () => {
    const time = createHandTime();
    await using worker = superviseWorker('exits-at-start', {
      time,
      restart: { restartMax: 2, windowMs: 600_000 },
    });
    await worker.events.nth('worker_restart_scheduled', 2);
    time.advance(500);
    expect(await worker.events.nth('worker_restart_limit')).toEqual({
      type: 'worker_restart_limit',
      restarts: 2,
      retryInMs: 599_500,
    });
    await worker.events.nth('worker_restart_scheduled', 3);
    expect(worker.supervisor.snapshot()).toMatchObject({
      running: false,
      ready: false,
      reason: 'restart_limit_exceeded',
      nextRestartDelayMs: 599_500,
      restartsTotal: 2,
    });
    time.advance(599_500);
    await worker.events.nth('worker_launch', 4);
    expect(worker.supervisor.snapshot().restartsTotal).toBe(3);
  });
});

describe('a next life that stands ready', () => {
  const restarted = async (worker: ReturnType<typeof superviseWorker>, count: number): Promise<number> => {
    process.kill(-(await worker.events.nth('worker_ready', count)).pid, 'SIGKILL');
    return (await worker.events.nth('worker_ready', count + 1)).pid;
  };

  test('is used by a restart, one after the other, and nothing of it is left', async () => {
    const started: number[] = [];
    {
      await using worker = superviseWorker('good', { isNextPrepared: true });
      started.push((await worker.events.nth('worker_ready')).pid);
      started.push(await restarted(worker, 1));
      const connection = await worker.supervisor.whenReady(signal, timeoutMs);
      expect(await connection.request('echo', { text: 'one\ntwo' }, deadline)).toEqual({ text: 'one\ntwo' });
    }
    for (const pid of started) expect(readProcessStat(pid)).toBeNull();
  });

  test('is no more than a help: where it was killed, the restart does without', async () => {
    await using worker = superviseWorker('good', { isNextPrepared: true });
    const { pid } = await worker.events.nth('worker_ready');
    const gates = (): readonly number[] =>
      childPids(process.pid).filter(
        (each) => each !== pid && readFileSync(`/proc/${each}/cmdline`, 'utf8').includes('read -r _'),
      );
    await expect.poll(gates).toHaveLength(1);
    for (const gate of gates()) process.kill(gate, 'SIGKILL');
    expect(await restarted(worker, 1)).not.toBe(pid);
  });
});

describe('a recycle', () => {
  test('replaces the child without a wait and without counting as a failure', async () => {
    await using worker = superviseWorker('good', { time: createHandTime() });
    const first = await worker.supervisor.whenReady(signal, timeoutMs);
    worker.supervisor.recycle();
    expect(worker.supervisor.snapshot()).toMatchObject({ ready: false, reason: 'worker_restarting' });
    expect(worker.supervisor.current()).toBeNull();
    expect(await worker.supervisor.whenReady(signal, timeoutMs)).not.toBe(first);
    expect(worker.events.types()).not.toContain('worker_restart_scheduled');
    expect(worker.supervisor.snapshot()).toMatchObject({ restartsTotal: 1, consecutiveFailures: 0 });
  });
});

describe('a stop', () => {
  test('ends the child by ending its input, once, whoever asks', async () => {
    await using worker = superviseWorker('good');
    await worker.supervisor.whenReady(signal, timeoutMs);
    const { pid } = worker.supervisor.snapshot();
    await Promise.all([worker.supervisor.stop(), worker.supervisor.stop()]);
    await worker.supervisor.stop();
    expect(worker.events.types().slice(-2)).toEqual(['shutdown_initiated', 'worker_exit']);
    expect(worker.events.all.at(-1)).toMatchObject({ pid, code: 0, signal: null });
    expect(worker.supervisor.snapshot()).toMatchObject({
      running: false,
      ready: false,
      reason: 'shutdown_in_progress',
      pid: null,
    });
    await expect(worker.supervisor.whenReady(signal, timeoutMs)).rejects.toMatchObject({
      code: 'shutdown_in_progress',
    });
  });

  test('goes on to SIGTERM for a child that does not mind its input', async () => {
    await using worker = superviseWorker('ends-on-sigterm', { graces: { stdinEndMs: 1 } });
    await worker.supervisor.whenReady(signal, timeoutMs);
    await worker.supervisor.stop();
    expect(worker.events.types()).not.toContain('shutdown_grace_exceeded');
    expect(worker.events.all.at(-1)).toMatchObject({ type: 'worker_exit', code: 0, signal: null });
  });

  test('kills a child that ignores SIGTERM, and says so', async () => {
    await using worker = superviseWorker('ignores-sigterm', { graces: { stdinEndMs: 1, termMs: 1 } });
    await worker.supervisor.whenReady(signal, timeoutMs);
    await worker.supervisor.stop();
    expect(await worker.events.nth('shutdown_grace_exceeded')).toMatchObject({ graceMs: 2 });
    expect(worker.events.all.at(-1)).toMatchObject({ type: 'worker_exit', code: null, signal: 'SIGKILL' });
  });

  test('does not wait for a grandchild that holds the pipes', async () => {
    await using worker = superviseWorker('good');
    const connection = await worker.supervisor.whenReady(signal, timeoutMs);
    const pid = (await connection.request('leave-behind-with-pipes', {}, deadline)) as number;
    await worker.supervisor.stop();
    expect(readProcessStat(pid)?.state).not.toBe('Z');
    expect(readProcessStat(pid)).not.toBeNull();
    process.kill(pid, 'SIGKILL');
  });

  test('while it starts ends the start', async () => {
    await using worker = superviseWorker('never-ready');
    const waiting = worker.supervisor.whenReady(signal, timeoutMs);
    await worker.events.nth('worker_spawned');
    await Promise.all([
      expect(waiting).rejects.toMatchObject({ code: 'shutdown_in_progress' }),
      worker.supervisor.stop(),
    ]);
    expect(worker.events.types()).toEqual([
      'worker_launch',
      'worker_spawned',
      'shutdown_initiated',
      'worker_exit',
    ]);
  });

  test('right after the start leaves nothing either', async () => {
    await using worker = superviseWorker('good');
    await worker.supervisor.stop();
    expect(worker.events.types()).not.toContain('worker_ready');
    expect(worker.supervisor.snapshot()).toMatchObject({ running: false, pid: null });
  });

  test('during a backoff ends the wait', async () => {
    await using worker = superviseWorker('exits-at-start', { time: createHandTime() });
    await worker.events.nth('worker_restart_scheduled', 2);
    await worker.supervisor.stop();
    expect(worker.events.types().filter((type) => type === 'worker_launch')).toHaveLength(2);
    expect(worker.supervisor.snapshot()).toMatchObject({
      reason: 'shutdown_in_progress',
      nextRestartDelayMs: null,
    });
  });

  test('before any start is done at once, and no start follows', async () => {
    await using worker = superviseWorker('exits-at-start', { time: createHandTime() });
    await worker.supervisor.stop();
    worker.supervisor.start();
    expect(worker.supervisor.snapshot().reason).toBe('shutdown_in_progress');
  });
});

describe('a shutdown', () => {
  test('refuses new work at once and lets the work in flight finish', async () => {
    await using worker = superviseWorker('good');
    const connection = await worker.supervisor.whenReady(signal, timeoutMs);
    worker.supervisor.beginShutdown();
    expect(worker.supervisor.snapshot()).toMatchObject({
      running: true,
      ready: false,
      reason: 'shutdown_in_progress',
    });
    await expect(worker.supervisor.whenReady(signal, timeoutMs)).rejects.toMatchObject({
      code: 'shutdown_in_progress',
    });
    expect(await connection.request('echo', 'in flight', deadline)).toBe('in flight');
    await worker.supervisor.stop();
  });

  test('does not restart a child that ends meanwhile', async () => {
    await using worker = superviseWorker('good');
    const connection = await worker.supervisor.whenReady(signal, timeoutMs);
    worker.supervisor.beginShutdown();
    await connection.request('crash', {}, deadline).catch(() => undefined);
    await worker.events.nth('worker_exit');
    await worker.supervisor.stop();
    expect(worker.events.types().filter((type) => type === 'worker_launch')).toHaveLength(1);
  });
});
