import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, fdatasyncSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';
import path from 'node:path';
import { createCpuMeter } from './cpu-meter.ts';
import { rivalVersion } from './rivals.ts';
import { percentile } from './statistics.ts';

/** What has to be known of a machine to read its numbers. */
export async function describeMachine(dir: string): Promise<Readonly<Record<string, string>>> {
  await using meter = createCpuMeter();
  const processors = cpus();
  return {
    Date: new Date().toISOString(),
    Processors: `${processors.length} × ${processors[0]?.model.trim() ?? 'unknown'}`,
    Memory: `${Math.round(totalmem() / 2 ** 30)} GB`,
    'Load when it began': loadavg()
      .map((load) => load.toFixed(1))
      .join(', '),
    Kernel: `Linux ${release()}`,
    Disk: `${fileSystem(dir)}; write and fdatasync of 4 KiB: ${syncTimes(dir)}`,
    Node: process.version,
    Codex: said('codex', ['--version']),
    Commit: said('git', ['-C', dir, 'rev-parse', '--short', 'HEAD']),
    BullMQ: `${rivalVersion('bullmq')} with ioredis ${rivalVersion('ioredis')}`,
    Redis: /v=([\d.]+)/.exec(said('redis-server', ['--version']))?.[1] ?? 'missing',
    'Processor time':
      meter.method === 'cgroup'
        ? 'counted by a control group for each side'
        : 'read from /proc for each tree',
  };
}

function said(command: string, args: readonly string[]): string {
  const env = {
    ...process.env,
    PATH: `${path.join(import.meta.dirname, '../../node_modules/.bin')}:${process.env['PATH'] ?? ''}`,
  };
  const { stdout, status } = spawnSync(command, args, { encoding: 'utf8', env });
  return status === 0 ? stdout.trim() : 'missing';
}

function fileSystem(dir: string): string {
  try {
    return execFileSync('stat', ['--file-system', '--format', '%T', dir], { encoding: 'utf8' }).trim();
  } catch {
    return `type ${statfsSync(dir).type}`;
  }
}

function syncTimes(dir: string): string {
  const file = path.join(dir, 'sync');
  const descriptor = openSync(file, 'w');
  const block = Buffer.alloc(4096);
  const times = Array.from({ length: 200 }, () => {
    const began = performance.now();
    writeSync(descriptor, block);
    fdatasyncSync(descriptor);
    return performance.now() - began;
  });
  closeSync(descriptor);
  rmSync(file);
  return `p50 ${percentile(times, 0.5).toFixed(2)} ms, p99 ${percentile(times, 0.99).toFixed(2)} ms`;
}
