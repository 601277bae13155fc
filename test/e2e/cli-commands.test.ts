import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { workerSchema } from '../../src/contract/worker.ts';
import { commands } from '../../src/cli/commands.ts';
import { errorOf, eventsOf, jobOf, openCliStage } from '../support/cli-stage.ts';

const checkout = path.join(import.meta.dirname, '../..');

describe('help', () => {
  test('stands on stdout where it was asked for, exit 0', async () => {
    await using stage = await openCliStage();
    for (const args of [['--help'], ['-h'], ['help'], ['--log-level', 'info', '--help']]) {
      const { code, stdout, stderr } = await stage.capstan(args);
      expect([code, stderr]).toEqual([0, '']);
      for (const { name } of commands) expect(stdout).toContain(`\n  ${name} `);
    }
  });

  test.each(commands.map(({ name }) => name))('of %s says what it does and its options', async (name) => {
    await using stage = await openCliStage();
    const asked = await stage.capstan([name, '--help']);
    expect([asked.code, asked.stderr]).toEqual([0, '']);
    expect(asked.stdout).toContain(`Usage: capstan ${name}`);
    expect(asked.stdout).toMatch(/--json|Commands:/);
    expect((await stage.capstan(['help', name])).stdout).toBe(asked.stdout);
  });

  test('of the whole loads neither the parser of options nor any other library', async () => {
    await using stage = await openCliStage();
    const loaded = stage.dir.join('loaded');
    await stage.capstan(['--help'], { env: { NODE_V8_COVERAGE: loaded } });
    const [file = ''] = await readdir(loaded);
    const { result } = JSON.parse(await readFile(path.join(loaded, file), 'utf8')) as {
      result: { url: string }[];
    };
    const urls = result.map(({ url }) => url);
    expect(urls.some((url) => url.endsWith('src/cli/top-help.ts'))).toBe(true);
    expect(urls.filter((url) => url.includes('node_modules'))).toEqual([]);
  });

  test('without any word it stands on stderr, exit 2', async () => {
    await using stage = await openCliStage();
    const { code, stdout, stderr } = await stage.capstan([]);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain('Usage: capstan');
  });

  test('the version is the one of the package', async () => {
    await using stage = await openCliStage();
    const { version } = JSON.parse(readFileSync(path.join(checkout, 'package.json'), 'utf8')) as {
      version: string;
    };
    expect((await stage.capstan(['--version'])).stdout).toBe(`${version}\n`);
  });
});

describe('wrong usage', () => {
  test.each([
    [['bogus'], /bogus/],
    [['jobs', 'bogus'], /bogus/],
    [['jobs', 'show'], /id/],
    [['jobs', 'list', '--state', 'gone'], /gone/],
    [['jobs', 'list', '--limit', '0'], /limit/],
    [['run', 'x', '--timeout', 'soon'], /timeout/],
    [['run', 'x', '--bogus'], /--bogus/],
    [['run', 'x', 'y'], /argument/],
    [['worker', '--type', 'nope'], /nope/],
    [['serve', '--port', '99999'], /port/],
    [['workers', 'list', '--bogus'], /capstan workers list --help/],
    [['status', '--db-path', 'no/such.db'], /store_missing/],
  ])('%j is exit 2 with the next step, nothing on stdout', async (args, message) => {
    await using stage = await openCliStage();
    const { code, stdout, stderr } = await stage.capstan(args);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(message);
    expect(stderr).toMatch(/^ {2}next: /m);
    expect(stderr).not.toMatch(/\n\s+at /);
  });
});

describe('--json', () => {
  test('gives one JSON object on stdout of every command that answers', async () => {
    await using stage = await openCliStage();
    for (const args of [['jobs', 'list'], ['workers', 'list'], ['config', 'show'], ['doctor']]) {
      const { code, stdout, stderr } = await stage.capstan([...args, '--json']);
      expect([args, code, stderr]).toEqual([args, 0, '']);
      expect(stdout.endsWith('\n')).toBe(true);
      expect(JSON.parse(stdout)).toEqual(expect.any(Object));
    }
  });

  test('config show keeps secrets', async () => {
    await using stage = await openCliStage();
    const { stdout } = await stage.capstan(['config', 'show', '--json'], {
      env: { CAPSTAN_HTTP__API_KEY: 'a-secret-key' },
    });
    expect(stdout).not.toContain('a-secret-key');
    expect(stdout).toContain('"http.api_key"');
  });

  test('config show tells programs values, and people a section', async () => {
    await using stage = await openCliStage();
    const { stdout } = await stage.capstan(['config', 'show', 'workers', '--json']);
    const { items } = JSON.parse(stdout) as { items: { name: string; value: unknown }[] };
    expect(items.every(({ name }) => name.startsWith('workers.'))).toBe(true);
    expect(items).toContainEqual(expect.objectContaining({ name: 'workers.start_timeout', value: 60_000 }));
    expect(items).toContainEqual(expect.objectContaining({ name: 'workers.cpus', value: null }));
    const unknown = await stage.capstan(['config', 'show', 'wrokers']);
    expect(unknown).toMatchObject({ code: 2, stderr: expect.stringContaining('workers') as string });
  });
});

describe('jobs', () => {
  test('that ran is listed, shown, logged and applied, once', async () => {
    await using stage = await openCliStage();
    const job = jobOf(await stage.capstan(['run', 'Add a page', '--json', '--dir', 'site', '--key', 'k']));
    const list = await stage.capstan(['jobs', 'list', '--json', '--state', 'succeeded']);
    expect(JSON.parse(list.stdout)).toMatchObject({
      items: [{ id: job.id, state: 'succeeded' }],
      nextCursor: null,
    });
    expect((await stage.capstan(['jobs', 'list'])).stdout).toMatch(
      new RegExp(`^${job.id} +codex +succeeded`, 'm'),
    );

    const shown = await stage.capstan(['jobs', 'show', job.id, '--json']);
    expect(JSON.parse(shown.stdout)).toEqual(job);
    const people = (await stage.capstan(['jobs', 'show', job.id])).stdout;
    expect(people).toMatch(/^state +succeeded$/m);
    expect(people).toMatch(/^\+<h1>Contact<\/h1>$/m);

    const logged = await stage.capstan(['jobs', 'logs', job.id, '-f', '--json']);
    expect(eventsOf(logged).map(({ seq }) => seq)).toEqual(eventsOf(logged).map((_, index) => index + 1));
    expect(jobOf(logged)).toEqual(job);
    const log = (await stage.capstan(['jobs', 'logs', job.id])).stdout;
    expect(log).toMatch(/› Done with it\.$/m);
    expect(log).toMatch(/succeeded: Added a page\.$/m);

    const again = await stage.capstan(['run', 'Add a page', '--json', '--dir', 'site', '--key', 'k']);
    expect([again.code, jobOf(again).id]).toEqual([0, job.id]);

    const applied = await stage.capstan(['jobs', 'apply', job.id, '--json']);
    expect([applied.code, JSON.parse(applied.stdout)]).toEqual([0, { dir: stage.site, files: 1 }]);
    expect(readFileSync(path.join(stage.site, 'contact.html'), 'utf8')).toBe('<h1>Contact</h1>\n');
    const twice = await stage.capstan(['jobs', 'apply', job.id]);
    expect([twice.code, twice.stderr]).toEqual([1, expect.stringContaining('folder_changed')]);
    const retry = await stage.capstan(['jobs', 'retry', job.id]);
    expect([retry.code, retry.stderr]).toEqual([2, expect.stringContaining('retry_not_applicable')]);
    const cancel = await stage.capstan(['jobs', 'cancel', job.id]);
    expect([cancel.code, cancel.stderr]).toEqual([2, expect.stringContaining('job_ended')]);
  });

  test('that is parked is cancelled and run again as another', async () => {
    await using stage = await openCliStage({
      conversations: [{ turns: [{ fault: 'usage_limit', resetsInS: 3600 }] }],
    });
    const run = await stage.capstan(['run', 'x', '--json', '--dir', 'site', '--timeout', '30s']);
    expect(run.code).toBe(1);
    const last = eventsOf(run).at(-1);
    expect(last).toMatchObject({ type: 'job.parked', failure: { kind: 'limit' } });
    expect(run.stderr).toContain('"job_parked"');
    const id = last?.jobId ?? '';
    const cancelled = await stage.capstan(['jobs', 'cancel', id, '--json']);
    expect(JSON.parse(cancelled.stdout)).toMatchObject({ id, state: 'cancelled' });
    const retried = await stage.capstan(['jobs', 'retry', id]);
    expect([retried.code, retried.stderr]).toEqual([0, expect.stringContaining('capstan jobs logs')]);
    const next = await stage.capstan(['jobs', 'show', retried.stdout.trim(), '--json']);
    expect(JSON.parse(next.stdout)).toMatchObject({ state: 'queued', retryOf: id });
  });
});

describe('serve and worker', () => {
  test('say on stdout when they are ready, are seen by others, and leave on SIGTERM with 0', async () => {
    await using stage = await openCliStage();
    const server = stage.start(['serve', '--port', '0', '--no-worker', '--json']);
    const ready = JSON.parse(String((await once(server.stdout ?? server, 'data'))[0])) as { url: string };
    expect(ready).toMatchObject({ type: 'serve.ready', dataDir: stage.dataDir, worker: false });
    const worker = stage.start(['worker', '--json']);
    const { workerId } = JSON.parse(String((await once(worker.stdout ?? worker, 'data'))[0])) as {
      workerId: string;
    };

    const listed = JSON.parse((await stage.capstan(['workers', 'list', '--json'])).stdout) as {
      items: unknown[];
    };
    expect(listed.items.map((item) => workerSchema.parse(item))).toMatchObject([
      { id: workerId, status: 'idle', pid: worker.pid },
    ]);
    expect((await stage.capstan(['workers', 'list'])).stdout).toMatch(
      new RegExp(`^${workerId} +codex +direct +idle +0/2`, 'm'),
    );
    expect(await (await fetch(`${ready.url}/api/workers`)).json()).toMatchObject({
      items: [{ id: workerId }],
    });

    // `run` leaves the work to the worker that is there.
    const job = jobOf(await stage.capstan(['run', 'x', '--json', '--dir', 'site']));
    expect(job).toMatchObject({ state: 'succeeded', attempt: 1 });
    const artifact = await fetch(`${ready.url}/api/jobs/${job.id}/artifacts/changes.patch`);
    expect(await artifact.text()).toContain('+<h1>Contact</h1>');

    for (const child of [worker, server]) {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      expect(await ended).toEqual([0, null]);
    }
    expect(JSON.parse((await stage.capstan(['workers', 'list', '--json'])).stdout)).toEqual({ items: [] });
  });
});

describe('doctor', () => {
  test('says of each thing that is missing what to do, exit 1', async () => {
    await using stage = await openCliStage();
    const env = { OPENAI_API_KEY: undefined, CAPSTAN_CODEX__BIN: '/nowhere/codex' };
    const { code, stdout } = await stage.capstan(['doctor', '--json'], { env });
    const { ok, checks } = JSON.parse(stdout) as {
      ok: boolean;
      checks: { name: string; ok: boolean; hint?: string }[];
    };
    expect([code, ok]).toEqual([1, false]);
    const missing = checks.filter((check) => !check.ok);
    expect(missing.map(({ name }) => name)).toEqual(expect.arrayContaining(['codex', 'model']));
    for (const { hint } of missing) expect(hint).toBeTruthy();
    const people = await stage.capstan(['doctor'], { env });
    expect(people.stdout).toContain('codex jobs cannot run yet: ');
    expect(people.stdout.match(/next: \S/g)?.length).toBe(missing.length);
  });

  test('is content where all is there, exit 0', async () => {
    await using stage = await openCliStage();
    const { code, stdout } = await stage.capstan(['doctor']);
    expect([code, stdout]).toEqual([0, expect.stringContaining('All that jobs need is there.')]);
  });
});

describe('pipes', () => {
  const shell = (
    command: string,
    env: Readonly<Record<string, string>>,
    cwd: string,
  ): { status: number | null; output: string } => {
    const script = `capstan() { '${process.execPath}' '${checkout}/bin/capstan.js' "$@"; }; ${command}`;
    const { status, stdout, stderr } = spawnSync('bash', ['-c', script], {
      env,
      cwd,
      encoding: 'utf8',
      timeout: 60_000,
    });
    return { status, output: stdout + stderr };
  };

  test('a reader that leaves early is no error', async () => {
    await using stage = await openCliStage();
    for (const command of ['config show | head -1', 'config show --json | true', '--help | head -1']) {
      const { output } = shell(`capstan ${command}`, stage.env, stage.dir.path);
      expect(output).not.toMatch(/EPIPE|Error|\n\s+at /);
    }
  });

  test('a disk without room for the output is said, exit 1', async () => {
    await using stage = await openCliStage();
    const { status, output } = shell('capstan config show > /dev/full', stage.env, stage.dir.path);
    expect([status, output]).toEqual([1, expect.stringContaining('cannot be written')]);
    expect(output).not.toMatch(/\n\s+at /);
  });
});

describe('jobs prune and delete', () => {
  test('say what they would do, and do it', async () => {
    await using stage = await openCliStage();
    const ids: string[] = [];
    for (const prompt of ['one', 'two', 'three']) {
      const input = JSON.stringify({ prompt, source: { dir: stage.site } });
      ids.push((await stage.capstan(['jobs', 'submit', 'codex', input])).stdout.trim());
    }
    const [first = '', second = '', third = ''] = ids;
    const early = await stage.capstan(['jobs', 'delete', first, '--json']);
    expect([early.code, errorOf(early).code]).toEqual([2, 'job_not_ended']);
    for (const id of [first, second]) await stage.capstan(['jobs', 'cancel', id]);
    const young = await stage.capstan(['jobs', 'prune', '--older-than', '30d']);
    expect([young.code, young.stderr]).toEqual([0, 'Deleted 0 jobs.\n']);
    const dryRun = async (): Promise<string> =>
      (await stage.capstan(['jobs', 'prune', '--older-than', '1s', '--dry-run'])).stderr;
    await expect.poll(dryRun, { timeout: 20_000 }).toMatch(/^Would delete 2 jobs \(2 cancelled\)/);
    expect((await stage.capstan(['jobs', 'delete', first])).stderr).toBe('Deleted 1 job.\n');
    const pruned = await stage.capstan([
      'jobs',
      'prune',
      '--older-than',
      '1s',
      '--state',
      'cancelled',
      '--json',
    ]);
    expect(JSON.parse(pruned.stdout)).toMatchObject({ dryRun: false, jobs: [{ id: second }] });
    const list = JSON.parse((await stage.capstan(['jobs', 'list', '--json'])).stdout) as {
      items: { id: string }[];
    };
    expect(list.items.map(({ id }) => id)).toEqual([third]);
    expect(await readdir(path.join(stage.dataDir, 'jobs'))).toEqual([third]);

    // A server does the same by itself where it is told to.
    await stage.capstan(['jobs', 'cancel', third]);
    await expect.poll(dryRun, { timeout: 20_000 }).toMatch(/^Would delete 1 job /);
    const server = stage.start(['serve', '--no-worker', '--port', '0'], {
      env: { CAPSTAN_RETENTION__FAILED: '1s', CAPSTAN_GATEWAY__MOUNT: 'false' },
    });
    await expect.poll(async () => readdir(path.join(stage.dataDir, 'jobs')), { timeout: 20_000 }).toEqual([]);
    const exited = once(server, 'exit');
    server.kill('SIGTERM');
    expect((await exited)[0]).toBe(0);
  });
});
