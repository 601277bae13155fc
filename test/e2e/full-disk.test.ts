import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync } from 'node:fs';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, type TestContext } from 'vitest';
import type { ScenarioInput } from '../scripted-model/scenario.ts';
import { jobOf, openCliStage, type CliStage } from '../support/cli-stage.ts';
import { needs } from '../support/needs.ts';

interface Disk extends AsyncDisposable {
  readonly dataDir: string;
  readonly env: Readonly<Record<string, string>>;
  /** Leaves no room for anybody, until `free`: what others give back is taken at once. */
  fill(): Promise<void>;
  free(): Promise<void>;
}

/** A data folder on a file system of its own. */
async function mountDisk(stage: CliStage, { skip }: TestContext): Promise<Disk> {
  const at = stage.dir.join('disk');
  await mkdir(at);
  const mount = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', at], { encoding: 'utf8' });
  if (mount.status !== 0) skip(`no file system can be mounted: ${mount.stderr.trim()}`);
  const filler = path.join(at, 'filler');
  const dataDir = path.join(at, 'data');
  let filling: NodeJS.Timeout | undefined;
  return {
    dataDir,
    env: { CAPSTAN_DATA: dataDir },
    async fill() {
      fillUp(filler);
      filling = setInterval(() => {
        fillUp(filler);
      }, 5);
    },
    async free() {
      clearInterval(filling);
      await rm(filler, { force: true });
    },
    async [Symbol.asyncDispose]() {
      clearInterval(filling);
      spawnSync('umount', ['-l', at]);
      await rm(at, { recursive: true, force: true });
    },
  };
}

function fillUp(file: string): void {
  for (let size = 1 << 24; size >= 512; size >>= 1) {
    try {
      for (;;) appendFileSync(file, Buffer.alloc(size, 1));
    } catch {
      // No room for so much: half of it may fit.
    }
  }
}

const waits: ScenarioInput = {
  conversations: [{ turns: [{ commands: ['touch made'] }, { text: 'done', gates: { start: 'end' } }] }],
};
const fillsItsWorkspace: ScenarioInput = {
  conversations: [{ turns: [{ commands: ['cat /dev/zero > zeros 2>/dev/null; true'] }, { text: 'done' }] }],
};

describe('a data folder without room', () => {
  needs('root').test(
    'what an agent filled is given back, and the job fails with the reason',
    async (context) => {
      await using stage = await openCliStage(fillsItsWorkspace);
      await using disk = await mountDisk(stage, context);

      const result = await stage.capstan(['run', 'x', '--json', '--dir', 'site'], { env: disk.env });

      const job = jobOf(result);
      expect([result.code, job.state, job.failure?.code]).toEqual([1, 'failed', 'disk_full']);
      expect(job.failure?.hint).toMatch(/capstan jobs retry/);
      expect(await readdir(path.join(disk.dataDir, 'jobs', job.id))).toEqual(['source']);
    },
  );

  needs('root').test(
    '`run` says at once what it waits for, and goes on when there is room',
    async (context) => {
      await using stage = await openCliStage(waits);
      await using disk = await mountDisk(stage, context);
      stage.model.hold('end');
      const run = stage.start(['run', 'x', '--json', '--dir', 'site'], { env: disk.env });
      const exited = once(run, 'exit');
      const said = heard(run);
      await stage.model.waitAtGate('end');
      await disk.fill();
      stage.model.release('end');

      await said.line(/cannot be stored.*no space left/i);
      await disk.free();

      expect((await exited)[0]).toBe(0);
      expect(await said.stdout).toContain('"state":"succeeded"');
    },
  );

  needs('root').test('the first signal ends a `run` that waits for room', async (context) => {
    await using stage = await openCliStage(waits);
    await using disk = await mountDisk(stage, context);
    stage.model.hold('end');
    const run = stage.start(['run', 'x', '--dir', 'site'], { env: disk.env });
    const exited = once(run, 'exit');
    const said = heard(run);
    await stage.model.waitAtGate('end');
    await disk.fill();
    stage.model.release('end');
    await said.line(/cannot be stored/i);

    run.kill('SIGTERM');

    await said.line(/stays in the store|is cancelled/);
    expect((await exited)[0]).toBe(143);
  });
});

describe('a document job without room', () => {
  needs('root', 'jupyter', 'userns').test(
    'what its cells filled is given back, and it fails with the reason',
    async (context) => {
      await using stage = await openCliStage();
      await using disk = await mountDisk(stage, context);
      const code =
        'import os\nfile = open("zeros", "wb")\nwhile True: file.write(bytes(65536)); file.flush()';
      await writeFile(path.join(stage.site, 'a.py'), `# %%\n${code}\n`);
      const env = { ...disk.env, CAPSTAN_WORKER__CONCURRENCY: '1' };
      stage.start(['worker', '--type', 'notebook'], { env });
      const input = JSON.stringify({ source: { file: path.join(stage.site, 'a.py') }, execute: true });

      const id = (await stage.capstan(['jobs', 'submit', 'notebook', input], { env })).stdout.trim();
      const job = jobOf(await stage.capstan(['jobs', 'logs', id, '-f', '--json'], { env }));

      expect([job.state, job.failure?.code]).toEqual(['failed', 'disk_full']);
      expect(await readdir(path.join(disk.dataDir, 'jobs', job.id))).toEqual(['source']);
      expect(await readdir(path.join(disk.dataDir, 'artifacts')).catch(() => [])).toEqual([]);
    },
  );
});

interface Heard {
  /** Resolves when stderr has had a line that fits. */
  line(wanted: RegExp): Promise<void>;
  readonly stdout: Promise<string>;
}

function heard(child: ReturnType<CliStage['start']>): Heard {
  let all = '';
  child.stderr?.on('data', (piece: Buffer) => {
    all += piece.toString();
  });
  return {
    stdout: child.stdout === null ? Promise.resolve('') : text(child.stdout),
    async line(wanted) {
      await expect.poll(() => all, { timeout: 40_000, interval: 20 }).toMatch(wanted);
    },
  };
}
