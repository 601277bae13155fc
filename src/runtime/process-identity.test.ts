import { readFileSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, onTestFinished, test } from 'vitest';
import { currentProcessIdentity, isAlive } from './process-identity.ts';
import { readProcessStat } from './process-stat.ts';

const linux = process.platform === 'linux';
const patient = { timeout: 20_000 };

describe('process identity', () => {
  test('this process is alive', () => {
    const identity = currentProcessIdentity();
    expect(identity.pid).toBe(process.pid);
    expect(isAlive(identity)).toBe(true);
  });

  test.runIf(linux)('another process with the same pid is not the same process', () => {
    const identity = currentProcessIdentity();
    expect(isAlive({ ...identity, startToken: `${identity.startToken}0` })).toBe(false);
  });

  test.runIf(linux)('a process from before the last boot is dead', () => {
    const identity = currentProcessIdentity();
    const startToken = identity.startToken.replace(/^[^/]+/, '00000000-0000-0000-0000-000000000000');
    expect(isAlive({ ...identity, startToken })).toBe(false);
  });

  test('what cannot be seen from here is not taken for dead', () => {
    const identity = currentProcessIdentity();
    expect(isAlive({ ...identity, host: `${identity.host}-other` })).toBe(true);
    if (!linux) return;
    const startToken = identity.startToken.replace(/pid:\[\d+\]/, 'pid:[1]');
    expect(isAlive({ ...identity, startToken })).toBe(true);
  });

  test('without a start token the pid alone decides', async () => {
    const child = spawn(process.execPath, ['--eval', '0'], { stdio: 'ignore' });
    const { host } = currentProcessIdentity();
    const identity = { host, pid: child.pid ?? 0, startToken: '' };
    expect(isAlive(identity)).toBe(true);
    await once(child, 'exit');
    expect(isAlive(identity)).toBe(false);
  });

  test.runIf(linux)('a zombie is dead', async () => {
    // The shell becomes `sleep`, which never reaps the child that the shell had started; only then is that child let go.
    const parent = spawn('/bin/sh', ['-c', 'exec 3<&0; cat <&3 >/dev/null & echo $!; exec sleep 60'], {
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    onTestFinished(() => void parent.kill('SIGKILL'));
    const [said] = (await once(parent.stdout, 'data')) as [Buffer];
    const pid = Number(said.toString());
    const program = (): string => readFileSync(`/proc/${String(parent.pid)}/comm`, 'utf8').trim();
    await expect.poll(program, patient).toBe('sleep');
    parent.stdin.end();
    await expect.poll(() => readProcessStat(pid)?.state, patient).toBe('Z');
    const { host, startToken } = currentProcessIdentity();
    const ticks = readProcessStat(pid)?.startTicks ?? '';
    expect(isAlive({ host, pid, startToken: startToken.replace(/\d+$/, ticks) })).toBe(false);
    parent.kill('SIGKILL');
    await once(parent, 'exit');
  });
});
