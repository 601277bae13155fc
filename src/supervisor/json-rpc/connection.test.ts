import { describe, expect, test } from 'vitest';
import { deferred } from '../../runtime/wait.ts';
import type { MessageChannel } from './channel.ts';
import { createConnection, type ConnectionOptions, type RpcConnection, type RpcFault } from './connection.ts';
import { createMemoryChannelPair } from './memory-channel.ts';

const limits = { signal: new AbortController().signal, timeoutMs: 5_000 };

interface Peer {
  readonly connection: RpcConnection;
  readonly faults: RpcFault[];
  readonly notifications: unknown[];
  /** The other end, by hand. */
  readonly far: MessageChannel;
  /** The next thing that the connection sends. */
  next(): Promise<unknown>;
}

function connect(options: Partial<ConnectionOptions> = {}): Peer {
  const [near, far] = createMemoryChannelPair();
  const faults: RpcFault[] = [];
  const notifications: unknown[] = [];
  const sent: unknown[] = [];
  let arrived = deferred<void>();
  far.listen({
    message: (value) => {
      sent.push(value);
      arrived.resolve();
    },
    fault: () => {},
    closed: () => {},
  });
  const connection = createConnection(near, {
    onNotification: (method, params) => notifications.push([method, params]),
    requestHandlers: {},
    onFault: (fault) => faults.push(fault),
    ...options,
  });
  const next = async (): Promise<unknown> => {
    while (sent.length === 0) {
      await arrived.promise;
      arrived = deferred<void>();
    }
    return sent.shift();
  };
  return { connection, faults, notifications, far, next };
}

describe('requests', () => {
  test('carry an id and no jsonrpc field, and get the answer with that id in any order', async () => {
    const { connection, far, next } = connect();
    const first = connection.request('first', { a: 1 }, limits);
    const second = connection.request('second', undefined, limits);
    expect(await next()).toEqual({ id: 1, method: 'first', params: { a: 1 } });
    expect(await next()).toEqual({ id: 2, method: 'second' });
    await far.send({ id: 2, result: 'two' });
    await far.send({ id: 1, result: 'one' });
    expect(await Promise.all([first, second])).toEqual(['one', 'two']);
    expect(connection.pending()).toBe(0);
  });

  test('are rejected with the error of the other side', async () => {
    const { connection, far } = connect();
    const asked = connection.request('turn/start', {}, limits);
    await far.send({ id: 1, error: { code: -32600, message: 'no such thread', data: { id: 'x' } } });
    await expect(asked).rejects.toMatchObject({
      code: 'rpc_error',
      details: { rpcCode: -32600, rpcMessage: 'no such thread', data: { id: 'x' } },
    });
  });

  test('that are not answered in time are rejected, and the late answer is counted', async () => {
    const { connection, far, faults } = connect();
    const asked = connection.request('slow', {}, { ...limits, timeoutMs: 1 });
    await expect(asked).rejects.toMatchObject({ code: 'rpc_timeout' });
    await far.send({ id: 1, result: 'late' });
    await expect.poll(() => faults).toEqual([{ kind: 'late_answer', detail: 'answer to request 1' }]);
    expect(connection.pending()).toBe(0);
  });

  test('that are aborted are rejected with the reason of the signal', async () => {
    const { connection } = connect();
    const stop = new AbortController();
    const asked = connection.request('slow', {}, { ...limits, signal: stop.signal });
    stop.abort(new Error('enough'));
    await expect(asked).rejects.toThrow('enough');
    expect(connection.pending()).toBe(0);
  });

  test('are all rejected when the connection goes, and so are later ones', async () => {
    const { connection, far } = connect();
    const waiting = [connection.request('a', {}, limits), connection.request('b', {}, limits)];
    far.close();
    for (const each of waiting) await expect(each).rejects.toMatchObject({ code: 'connection_closed' });
    await expect(connection.request('c', {}, limits)).rejects.toMatchObject({ code: 'connection_closed' });
    await expect(connection.notify('d')).rejects.toMatchObject({ code: 'connection_closed' });
    expect(await connection.closed).toBe('the channel was closed');
  });
});

describe('what the other side does wrong', () => {
  test('is counted and reported, and harms nothing', async () => {
    const { connection, far, faults } = connect();
    const asked = connection.request('real', {}, limits);
    const wrong = [[], { id: 99, result: 1 }, { id: '1', result: 1 }, { result: 1 }, { id: {}, method: 'x' }];
    for (const each of wrong) await far.send(each);
    await far.send({ id: 1, result: 'right' });
    await far.send({ id: 1, result: 'again' });
    expect(await asked).toBe('right');
    await expect.poll(() => faults.length).toBe(6);
    expect(connection.faults()).toEqual({ not_rpc: 3, unknown_answer: 2, late_answer: 1 });
  });
});

describe('notifications', () => {
  test('come in order, also past a listener that throws', async () => {
    const seen: unknown[] = [];
    const { far, connection } = connect({
      onNotification: (method, params) => {
        if (method === 'bad') throw new Error('broken listener');
        seen.push(params);
      },
    });
    for (let turn = 0; turn < 5; turn += 1)
      await far.send({ method: turn === 2 ? 'bad' : 'ok', params: turn });
    await expect.poll(() => seen).toEqual([0, 1, 3, 4]);
    expect(connection.faults()).toEqual({ failed_listener: 1 });
  });
});

describe('requests of the other side', () => {
  test('get what their handler gives', async () => {
    const { far, next } = connect({
      requestHandlers: { approve: async (params) => ({ decision: 'decline', params }) },
    });
    await far.send({ id: 'x-1', method: 'approve', params: 7 });
    expect(await next()).toEqual({ id: 'x-1', result: { decision: 'decline', params: 7 } });
  });

  test('without a handler get an error and are reported, even by the name of an object method', async () => {
    const { far, next, connection } = connect();
    for (const method of ['new/thing', 'toString', '__proto__']) {
      await far.send({ id: 0, method });
      expect(await next()).toMatchObject({ id: 0, error: { code: -32601 } });
    }
    expect(connection.faults()).toEqual({ unanswered_request: 3 });
  });

  test('get an error when their handler throws or does not come back', async () => {
    const { far, next } = connect({
      answerLimitMs: 1,
      requestHandlers: {
        throws: () => {
          throw new Error('no');
        },
        hangs: () => new Promise(() => {}),
      },
    });
    await far.send({ id: 1, method: 'throws' });
    expect(await next()).toEqual({ id: 1, error: { code: -32603, message: 'no' } });
    await far.send({ id: 2, method: 'hangs' });
    expect(await next()).toMatchObject({ id: 2, error: { code: -32603 } });
  });

  test('are given up when the connection goes', async () => {
    const stopped = deferred<unknown>();
    const { far } = connect({
      requestHandlers: {
        wait: async (_params, signal) => {
          signal.addEventListener('abort', () => stopped.resolve(signal.reason));
          return stopped.promise;
        },
      },
    });
    await far.send({ id: 1, method: 'wait' });
    await Promise.resolve();
    far.close();
    expect(await stopped.promise).toMatchObject({ code: 'connection_closed' });
  });
});
