import { describe, expect, test } from 'vitest';
import { deadline, superviseWorker } from '../support/supervised-worker.ts';

const { signal, timeoutMs } = deadline;

describe('JSON-RPC with a real child', () => {
  test('keeps line separators inside strings', async () => {
    await using worker = superviseWorker('good');
    const connection = await worker.supervisor.whenReady(signal, timeoutMs);
    const text = 'one\u2028two\u2029three';
    expect(await connection.request('separators', {}, deadline)).toBe(text);
    expect(await connection.request('echo', text, deadline)).toBe(text);
    expect(worker.notifications).toEqual([['note', text]]);
    expect(connection.faults()).toEqual({});
  });

  test('carries a message of 10 MB both ways', async () => {
    await using worker = superviseWorker('good');
    const connection = await worker.supervisor.whenReady(signal, timeoutMs);
    const bytes = 10 * 1024 * 1024;
    expect(await connection.request('big', { bytes }, deadline)).toHaveLength(bytes);
    expect(await connection.request('echo', 'y'.repeat(bytes), deadline)).toHaveLength(bytes);
  });

  test('drops a message over the limit, reports it, and goes on', async () => {
    await using worker = superviseWorker('good', { channel: { maxMessageBytes: 1024 } });
    const connection = await worker.supervisor.whenReady(signal, timeoutMs);
    const patience = new AbortController();
    const lost = connection.request('big', { bytes: 4096 }, { signal: patience.signal, timeoutMs });
    expect(await connection.request('echo', 'still here', deadline)).toBe('still here');
    patience.abort(new Error('never came'));
    await expect(lost).rejects.toThrow('never came');
    expect(worker.faults).toEqual([
      { kind: 'too_long', detail: expect.stringMatching(/^\{"id":2,"result":"x+$/) },
    ]);
  });

  test('counts rubbish, doubled and unknown answers, and is ready all the same', async () => {
    await using worker = superviseWorker('emits-rubbish');
    const connection = await worker.supervisor.whenReady(signal, timeoutMs);
    expect(await connection.request('echo', 1, deadline)).toBe(1);
    expect(connection.faults()).toEqual({ not_json: 4, not_rpc: 2, unknown_answer: 1, late_answer: 1 });
  });

  test('answers what the child asks', async () => {
    await using worker = superviseWorker('good');
    const connection = await worker.supervisor.whenReady(signal, timeoutMs);
    await connection.notify('ask');
    await expect
      .poll(() => worker.notifications)
      .toEqual([['answered', { id: 'ask-1', error: { code: -32601, message: expect.any(String) } }]]);
  });

  test('makes the sender wait for a child that does not read, refuses what is too much, and answers all when it goes', async () => {
    await using worker = superviseWorker('good', { channel: { maxQueuedBytes: 1024 * 1024 } });
    const connection = await worker.supervisor.whenReady(signal, timeoutMs);
    await connection.request('stop-reading', {}, deadline);
    let written = false;
    const half = 'z'.repeat(600 * 1024);
    const first = connection.notify('echo', half).then(() => {
      written = true;
    });
    const asked = connection.request('echo', 'x', deadline);
    await expect(connection.notify('echo', half)).rejects.toMatchObject({ code: 'connection_congested' });
    expect(written).toBe(false);
    worker.supervisor.recycle();
    process.kill(-(await worker.events.nth('worker_spawned')).pid, 'SIGKILL');
    await expect(first).rejects.toMatchObject({ code: 'connection_closed' });
    await expect(asked).rejects.toMatchObject({ code: 'connection_closed' });
    await worker.supervisor.whenReady(signal, timeoutMs);
  });
});
