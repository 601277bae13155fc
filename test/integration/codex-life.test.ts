import { access, readdir, readFile, readlink } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { deferred } from '../../src/runtime/wait.ts';
import type { ScenarioInput } from '../scripted-model/scenario.ts';
import {
  aliveOf,
  commandsThenText,
  driverNames,
  openStage,
  seeProcesses,
  type CodexStage,
  type StageJob,
} from '../support/codex-stage.ts';

const goOn = 'Go on where you were stopped.';

/** Runs a command that does not end by itself; after it was cut, says what it made of that. */
const longCommand: ScenarioInput = {
  conversations: [{ turns: [{ commands: ['touch started; sleep 1000'] }, { text: 'done' }] }],
  continuations: [goOn],
};

const started = (job: StageJob): Promise<void> =>
  vi.waitFor(() => access(path.join(job.workspaceDir, 'started')), { timeout: 20_000, interval: 20 });

/** The Codex process that works on the job. */
async function codexPid(stage: CodexStage): Promise<number> {
  const home = `CODEX_HOME=${stage.options.codexHome}`;
  const found = (await seeProcesses()).filter(
    ({ args, environ }) => args[0] === stage.options.codexBin && environ.includes(home),
  );
  const [codex] = found.filter(({ args }) => args[1] === 'app-server' || args[1] === 'exec');
  if (codex === undefined) throw new Error('no Codex process was found');
  return codex.pid;
}

describe.each(driverNames)('with %s', (name) => {
  test('a turn streams its events, keeps its thread and says what it used', async () => {
    await using stage = await openStage(name, commandsThenText('echo hi > made.txt; echo output'));
    const job = await stage.newJob();

    const { result, events, thread } = await stage.run(job);

    expect(result).toMatchObject({ status: 'completed', finalMessage: 'done', error: null, resumed: false });
    expect(result.usage).toEqual({ inputTokens: 2000, cachedInputTokens: 800, outputTokens: 100 });
    expect(await readFile(path.join(job.workspaceDir, 'made.txt'), 'utf8')).toBe('hi\n');
    const commands = events.filter((event) => event.type === 'agent.command');
    expect(commands.map(({ status }) => status)).toEqual(['running', 'completed']);
    expect(commands[1]).toMatchObject({ exitCode: 0, output: 'output\n' });
    expect(events).toContainEqual(expect.objectContaining({ type: 'agent.message', text: 'done' }));
    expect(thread.rolloutPath).not.toBeNull();
    expect(await readFile(thread.rolloutPath ?? '', 'utf8')).toContain(thread.threadId);
  });

  test('a refused key ends the turn as failed, with what the model said', async () => {
    await using stage = await openStage(name, { conversations: [{ turns: [{ fault: 'unauthorized' }] }] });

    const { result } = await stage.run(await stage.newJob());

    expect(result.status).toBe('failed');
    expect(result.error?.message).toContain('401');
  });

  test('commands that outlive the turn are dead when it has ended', async () => {
    await using stage = await openStage(name, {
      conversations: [
        {
          turns: [
            { commands: ['setsid nohup sleep 1000 >/dev/null 2>&1 & echo started'] },
            { commands: [{ cmd: 'sleep 2000', yieldTimeMs: 300 }] },
            { text: 'done', gates: { start: 'last' } },
          ],
        },
      ],
    });
    const job = await stage.newJob();
    stage.model.hold('last');
    const running = stage.run(job);
    await stage.model.waitAtGate('last');
    const alive = (await aliveOf(job)).map(({ args }) => args.join(' '));
    expect(alive).toEqual(expect.arrayContaining(['sleep 2000']));

    stage.model.release('last');

    expect((await running).result.status).toBe('completed');
    expect(await aliveOf(job)).toEqual([]);
  });

  test('an abort interrupts the turn and ends its commands', async () => {
    await using stage = await openStage(name, longCommand);
    const job = await stage.newJob();
    const stop = new AbortController();
    const running = stage.run(job, { signal: stop.signal });
    await started(job);
    expect(await aliveOf(job)).not.toEqual([]);

    stop.abort(new Error('cancelled'));

    expect((await running).result.status).toBe('interrupted');
    expect(await aliveOf(job)).toEqual([]);
  });

  test.each(['pid_namespace', 'process_group'] as const)(
    'after a SIGKILL no command lives, and the thread is resumed (%s)',
    async (held) => {
      await using stage = await openStage(name, longCommand, { held });
      const job = await stage.newJob();
      const opened = deferred<{ threadId: string; rolloutPath: string | null }>();
      const running = stage.run(job, { onThread: async (thread) => opened.resolve(thread) });
      const failure = running.catch((error: unknown) => error);
      await started(job);

      process.kill(await codexPid(stage), 'SIGKILL');

      expect(await failure).toMatchObject({ kind: 'infrastructure', code: 'agent_process_exited' });
      expect(await aliveOf(job)).toEqual([]);
      const resume = await opened.promise;
      const again = await stage.run(job, { attempt: 2, prompt: goOn, resume });
      expect(again.result).toMatchObject({
        status: 'completed',
        resumed: true,
        threadId: resume.threadId,
        finalMessage: 'done',
      });
      expect(again.result.usage.inputTokens).toBe(1000);
    },
  );

  test('an interrupted thread is resumed by the next attempt, under its own mark and token', async () => {
    await using stage = await openStage(name, {
      conversations: [
        {
          turns: [
            { commands: ['touch started; sleep 1000'] },
            { commands: ['echo "$CAPSTAN_ATTEMPT" > mark.txt'] },
            { text: 'done' },
          ],
        },
      ],
      continuations: [goOn],
    });
    const job = await stage.newJob();
    const stop = new AbortController();
    const first = stage.run(job, { signal: stop.signal });
    await started(job);
    stop.abort(new Error('draining'));
    const { thread } = await first;

    const token = 'token-of-the-second-attempt';
    const provider = { baseUrl: stage.model.baseUrl, token };
    const { result } = await stage.run(job, { attempt: 2, prompt: goOn, resume: thread, provider });

    expect(result).toMatchObject({ status: 'completed', resumed: true });
    expect(await readFile(path.join(job.workspaceDir, 'mark.txt'), 'utf8')).toBe(`${job.id}:2\n`);
    expect(stage.model.requests.at(-1)?.headers.authorization).toBe(`Bearer ${token}`);
  });

  test('a thread that is not there is refused as not resumable', async () => {
    await using stage = await openStage(name, commandsThenText('true'));
    const job = await stage.newJob();
    const resume = { threadId: '01a20453-52a0-7fa0-9ca8-68ff769e0ff9', rolloutPath: null };

    await expect(stage.run(job, { resume })).rejects.toMatchObject({ code: 'thread_not_resumable' });
  });

  test('a prompt as long as a book arrives whole, and a huge output comes as its tail', async () => {
    await using stage = await openStage(
      name,
      commandsThenText('head -c 3000000 /dev/zero | tr "\\0" x; echo; echo the-end'),
    );
    const job = await stage.newJob();
    const prompt = `${'All work and no play. '.repeat(20_000)}the last words`;

    const { result, events } = await stage.run(job, { prompt });

    expect(result.status).toBe('completed');
    expect(JSON.stringify(stage.model.requests[0]?.body)).toContain('the last words');
    const outputs = events.flatMap((event) => (event.type === 'agent.command' ? [event.output] : []));
    expect(outputs.at(-1)).toContain('the-end');
    expect(Math.max(...outputs.map((output) => Buffer.byteLength(output)))).toBeLessThan(5000);
  });
});

describe('app-server processes', () => {
  test('a process is replaced after its share of threads, and the old one ends with its last thread', async () => {
    await using stage = await openStage('app-server', longCommand, { threadsPerProcess: 2 });
    const [slow, fast, next] = [await stage.newJob(), await stage.newJob(), await stage.newJob()];
    const stop = new AbortController();
    const runs = [slow, fast, next].map((job) => stage.run(job, { signal: stop.signal }));
    await Promise.all([slow, fast, next].map(started));

    const processes = await appServers(stage);
    expect(processes).toHaveLength(2);
    expect(stage.driver.snapshot()).toMatchObject({ activeThreads: 3, threadsRun: 1, restarts: 1 });

    stop.abort(new Error('enough'));
    await Promise.all(runs);
    await vi.waitFor(async () => expect(await appServers(stage)).toHaveLength(1), { timeout: 10_000 });
  });

  test('threads leave neither memory nor descriptors behind', { timeout: 600_000 }, async () => {
    const rounds = Number(process.env['CAPSTAN_LONG_TURNS'] ?? 60);
    await using stage = await openStage(
      'app-server',
      { conversations: [{ turns: [{ text: 'done' }] }] },
      { threadsPerProcess: 10_000 },
    );
    const round = async (turns: number): Promise<void> => {
      for (let at = 0; at < turns; at += 4) {
        const jobs = await Promise.all(Array.from({ length: 4 }, () => stage.newJob()));
        await Promise.all(jobs.map((job) => stage.run(job)));
      }
      // The last threads are unloaded a second after they were let go of.
      await vi.waitFor(async () => expect(await openRollouts(stage)).toBe(0), { timeout: 10_000 });
    };
    await round(20);
    const before = await footprint(stage);

    await round(rounds);

    const after = await footprint(stage);
    expect(after.descriptors).toBeLessThanOrEqual(before.descriptors + 8);
    expect(after.rssMb).toBeLessThan(before.rssMb + 40 + rounds * 0.1);
  });
});

async function appServers(stage: CodexStage): Promise<number[]> {
  const home = `CODEX_HOME=${stage.options.codexHome}`;
  return (await seeProcesses())
    .filter(
      ({ args, environ }) =>
        args[0] === stage.options.codexBin && args[1] === 'app-server' && environ.includes(home),
    )
    .map(({ pid }) => pid);
}

async function footprint(stage: CodexStage): Promise<{ rssMb: number; descriptors: number }> {
  const pid = await codexPid(stage);
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const descriptors = await readdir(`/proc/${pid}/fd`);
  return { rssMb: Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024, descriptors: descriptors.length };
}

/** The threads that the process holds: each keeps its rollout file open. */
async function openRollouts(stage: CodexStage): Promise<number> {
  const dir = `/proc/${await codexPid(stage)}/fd`;
  const targets = await Promise.all(
    (await readdir(dir)).map((fd) => readlink(path.join(dir, fd)).catch(() => '')),
  );
  return targets.filter((target) => target.includes('/sessions/')).length;
}
