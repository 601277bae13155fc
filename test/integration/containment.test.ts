import { spawn, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdir, readdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { childPids, readProcessStat } from '../../src/runtime/process-stat.ts';
import { startChild } from '../../src/supervisor/child.ts';
import { containedCommand, probeContainment, type Containment } from '../../src/supervisor/contain.ts';
import { killMarked } from '../../src/supervisor/kill-marked.ts';
import { needs } from '../support/needs.ts';
import { deadline, superviseWorker, workerSpec } from '../support/supervised-worker.ts';
import { tempDir } from '../support/temp-dir.ts';
import { runVariable, testRunId } from '../support/test-run.ts';

const { signal, timeoutMs } = deadline;
const withNamespaces = needs('userns');
const asNobody = ['/usr/bin/setpriv', '--reuid=nobody', '--regid=nogroup', '--clear-groups'];
const group: Containment = { kind: 'process_group', prefix: [], why: 'the test asks for none' };

/** Living processes with this in their environment, as nobody's environment can be read by root alone. */
async function marked(marker: string): Promise<number[]> {
  const found: number[] = [];
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const environment = await readFile(`/proc/${name}/environ`, 'utf8').catch(() => '');
    const state = readProcessStat(Number(name))?.state;
    if (environment.includes(marker) && state !== undefined && state !== 'Z') found.push(Number(name));
  }
  return found;
}

function newMarker(): { name: string; value: string; text: string } {
  const value = randomUUID();
  return { name: 'CAPSTAN_ATTEMPT', value, text: `CAPSTAN_ATTEMPT=${value}` };
}

async function namespace(): Promise<Containment> {
  const containment = await probeContainment(signal);
  expect(containment).toMatchObject({ kind: 'pid_namespace' });
  return containment;
}

withNamespaces.describe('a child in a PID namespace', () => {
  test('takes all that it started with it when it is stopped', async () => {
    const { name, value, text } = newMarker();
    await using worker = superviseWorker('good', {
      containment: await namespace(),
      spec: { env: { ...workerSpec('good').env, [name]: value } },
    });
    const connection = await worker.supervisor.whenReady(signal, timeoutMs);
    await connection.request('leave-behind', {}, deadline);
    expect((await marked(text)).length).toBeGreaterThanOrEqual(2);
    await worker.supervisor.stop();
    expect(await marked(text)).toEqual([]);
  });

  test('may be killed at any moment of its end', async () => {
    const containment = await namespace();
    for (let turn = 0; turn < 20; turn += 1) {
      const child = await startChild(
        { command: '/bin/echo', args: ['here'], env: {}, cwd: '/' },
        { containment },
      );
      await new Promise((resolve) => child.onOutput(resolve));
      const ended = new AbortController();
      void child.exited.then(() => {
        ended.abort();
      });
      while (!ended.signal.aborted) {
        child.kill('SIGKILL');
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
  });

  test('takes all that it started with it when it has to be killed', async () => {
    const { name, value, text } = newMarker();
    await using worker = superviseWorker('ignores-sigterm', {
      containment: await namespace(),
      graces: { stdinEndMs: 1, termMs: 1 },
      spec: { env: { ...workerSpec('good').env, [name]: value } },
    });
    const connection = await worker.supervisor.whenReady(signal, timeoutMs);
    await connection.request('leave-behind-with-pipes', {}, deadline);
    await worker.supervisor.stop();
    expect(await marked(text)).toEqual([]);
    expect(worker.events.all.at(-1)).toMatchObject({ type: 'worker_exit', signal: 'SIGKILL' });
  });

  test('gets SIGTERM', async () => {
    await using worker = superviseWorker('ends-on-sigterm', {
      containment: await namespace(),
      graces: { stdinEndMs: 1 },
    });
    await worker.supervisor.whenReady(signal, timeoutMs);
    await worker.supervisor.stop();
    expect(worker.events.all.at(-1)).toMatchObject({ type: 'worker_exit', code: 0, signal: null });
  });

  test('tells how it ended through the namespace', async () => {
    await using worker = superviseWorker('good', { containment: await namespace() });
    const connection = await worker.supervisor.whenReady(signal, timeoutMs);
    await connection.request('crash', { code: 7 }, deadline).catch(() => undefined);
    expect(await worker.events.nth('worker_exit')).toMatchObject({ code: 7, signal: null });
  });

  test('that is missing is a configuration failure here too', async () => {
    await using worker = superviseWorker('good', {
      containment: await namespace(),
      spec: { command: '/nowhere/codex' },
    });
    await expect(worker.supervisor.whenReady(signal, timeoutMs)).rejects.toMatchObject({
      code: 'command_not_found',
    });
  });

  test('leaves no zombie of what it orphans', async () => {
    const orphans = '(true & true & true &); echo up; read -r _';
    const [command, ...args] = containedCommand(await namespace(), '/bin/sh', ['-c', orphans]);
    const child = spawn(command, args, {
      env: { [runVariable]: testRunId() },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    const [init] = childPids(child.pid ?? 0);
    await expect.poll(() => childPids(init ?? 0), { timeout: timeoutMs }).toHaveLength(1);
    child.stdin.end();
    await once(child, 'exit');
  });

  test.for([
    { who: 'this user', as: [] },
    { who: 'an ordinary user', as: asNobody },
  ])('dies with its parent, SIGKILL of the parent included, as $who', async ({ as, who }, context) => {
    if (who !== 'this user' && process.getuid?.() !== 0) context.skip('not run as root');
    const { name, value, text } = newMarker();
    const script = path.join(import.meta.dirname, '../children/hold-worker.ts');
    const [command, ...args] = [...as, process.execPath, script];
    const parent = spawn(command, args, {
      env: { [runVariable]: testRunId(), [name]: value },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    expect(String((await once(parent.stdout, 'data', { signal: AbortSignal.timeout(timeoutMs) }))[0])).toBe(
      'left behind\n',
    );
    // The parent, what holds the namespace, its first process, the worker, and what the worker left behind.
    expect((await marked(text)).length).toBeGreaterThanOrEqual(4);
    parent.kill('SIGKILL');
    await once(parent, 'exit');
    await expect.poll(() => marked(text), { timeout: timeoutMs }).toEqual([]);
  });

  test.for([
    { who: 'this user', as: [] },
    { who: 'an ordinary user', as: asNobody },
  ])('can use the sandbox of Codex, as $who', async ({ as, who }, context) => {
    if (who !== 'this user' && process.getuid?.() !== 0) context.skip('not run as root');
    await using dir = await tempDir('cache');
    await mkdir(dir.join('home'));
    await mkdir(dir.join('codex'));
    for (const each of [dir.path, dir.join('home'), dir.join('codex')]) await chmod(each, 0o777);
    const codex = path.join(
      path.dirname(createRequire(import.meta.url).resolve('@openai/codex/package.json')),
      '../codex-linux-x64/vendor/x86_64-unknown-linux-musl/bin/codex',
    );
    const contained = containedCommand(await namespace(), codex, [
      'sandbox',
      '--',
      'echo',
      'from the sandbox',
    ]);
    const [command = '', ...args] = [...as, ...contained];
    const { status, stdout, stderr } = spawnSync(command, args, {
      env: { PATH: '/usr/bin:/bin', HOME: dir.join('home'), CODEX_HOME: dir.join('codex') },
      encoding: 'utf8',
      timeout: timeoutMs,
    });
    expect({ status, stdout }, stderr).toEqual({ status: 0, stdout: 'from the sandbox\n' });
  });
});

describe('where there is no PID namespace', () => {
  test('what carries the marker is found and killed when the child is stopped', async () => {
    const { name, value, text } = newMarker();
    await using worker = superviseWorker('good', {
      containment: group,
      marker: text,
      spec: { env: { ...workerSpec('good').env, [name]: value } },
    });
    const connection = await worker.supervisor.whenReady(signal, timeoutMs);
    await connection.request('leave-behind', {}, deadline);
    await worker.supervisor.stop();
    expect(await marked(text)).toEqual([]);
  });

  test('the rest of the process group goes with the child', async () => {
    const child = superviseWorker('good', { containment: group });
    await child.supervisor.whenReady(signal, timeoutMs);
    const pid = child.supervisor.snapshot().pid ?? 0;
    await child.supervisor.stop();
    expect(() => process.kill(-pid, 0)).toThrow('ESRCH');
  });

  test('killing by marker spares all others, and counts', async () => {
    const { name, value, text } = newMarker();
    const start = async (env: Record<string, string>) => {
      const child = spawn('/bin/sleep', ['300'], {
        env: { [runVariable]: testRunId(), ...env },
        detached: true,
      });
      await once(child, 'spawn');
      return child;
    };
    const [ours, alsoOurs] = [await start({ [name]: value }), await start({ [name]: value })];
    const longer = await start({ [name]: `${value}0` });
    const elsewhere = await start({ OTHER: text });
    const gone = Promise.all([once(ours, 'exit'), once(alsoOurs, 'exit')]);
    expect(await killMarked(text, { signal, limitMs: timeoutMs })).toBe(2);
    await gone;
    expect(await killMarked(text, { signal, limitMs: timeoutMs })).toBe(0);
    for (const each of [longer, elsewhere]) {
      expect(each.exitCode ?? each.signalCode).toBeNull();
      each.kill('SIGKILL');
      await once(each, 'exit');
    }
  });
});
