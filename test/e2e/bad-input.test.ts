import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmod, copyFile, mkdir, open, readFile, symlink, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import path from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { describe, expect, test } from 'vitest';
import { vendoredBinary } from '../../src/codex/vendored-binary.ts';
import { errorOf, jobOf, openCliStage, type CliResult, type CliStage } from '../support/cli-stage.ts';
import { needs } from '../support/needs.ts';
import { lockDatabase } from './support/lock-database.ts';

const unknownId = '01900000-0000-7000-8000-000000000000';

/** A command that ended as people are told: the code, a message, a next step, no stack. */
function expectError(
  result: CliResult,
  wanted: { exit: number; kind?: string; code: string; message?: RegExp },
): void {
  const error = errorOf(result);
  expect([result.code, error.code]).toEqual([wanted.exit, wanted.code]);
  if (wanted.kind !== undefined) expect(error.kind).toBe(wanted.kind);
  if (wanted.message !== undefined) expect(error.message).toMatch(wanted.message);
  expect(error.hint).not.toBe('');
  expect(result.stderr).not.toMatch(/\n\s+at /);
}

/** Nothing was accepted, nothing is left of a job that was not. */
async function expectNothingAccepted(stage: CliStage): Promise<void> {
  const { stdout } = await stage.capstan(['jobs', 'list', '--json']);
  expect(JSON.parse(stdout)).toEqual({ items: [], nextCursor: null });
}

const run = (stage: CliStage, ...args: readonly string[]): Promise<CliResult> =>
  stage.capstan(['run', 'Add a page', '--json', '--dir', stage.site, ...args]);

describe('the prompt', () => {
  test.each([[['run', '--json', '']], [['run', '--json', '  \n']], [['run', '--json', '-']]])(
    'that says nothing: %j',
    async (args) => {
      await using stage = await openCliStage();
      expectError(await stage.capstan(args), { exit: 2, kind: 'user', code: 'no_prompt' });
    },
  );

  test('that is not there', async () => {
    await using stage = await openCliStage();
    expectError(await stage.capstan(['run', '--json']), { exit: 2, code: 'bad_usage', message: /prompt/ });
  });
});

describe('the folder', () => {
  test('that is missing, or a file', async () => {
    await using stage = await openCliStage();
    const missing = await stage.capstan(['run', 'x', '--json', '--dir', 'nowhere']);
    expectError(missing, { exit: 2, kind: 'user', code: 'source_missing', message: /nowhere/ });
    const file = await stage.capstan(['run', 'x', '--json', '--dir', path.join(stage.site, 'index.html')]);
    expectError(file, { exit: 2, kind: 'user', code: 'source_not_folder', message: /index\.html/ });
    await expectNothingAccepted(stage);
  });

  test('that cannot be read', async () => {
    await using stage = await openCliStage();
    const [data, locked] = [stage.dir.join('own'), stage.dir.join('locked')];
    await mkdir(data);
    await chmod(data, 0o777);
    await mkdir(locked, { mode: 0o700 });
    await chmod(locked, process.getuid?.() === 0 ? 0o700 : 0o000);
    const env = { CAPSTAN_DATA: data, HOME: data };
    const result = await stage.capstan(['run', 'x', '--json', '--dir', locked], { env, unprivileged: true });
    await chmod(locked, 0o700);
    expectError(result, { exit: 2, code: 'source_unreadable', message: /locked/ });
  });

  test('that is empty gets its first file', async () => {
    await using stage = await openCliStage();
    const empty = stage.dir.join('empty');
    await mkdir(empty);
    const result = await stage.capstan(['run', 'x', '--json', '--dir', empty, '--apply']);
    expect([result.code, jobOf(result).filesChanged]).toEqual([
      0,
      [{ path: 'contact.html', change: 'created' }],
    ]);
    expect(await readFile(path.join(empty, 'contact.html'), 'utf8')).toBe('<h1>Contact</h1>\n');
  });

  test('with a link out of itself', async () => {
    await using stage = await openCliStage();
    await symlink('/etc/passwd', path.join(stage.site, 'passwords'));
    expectError(await run(stage), {
      exit: 2,
      kind: 'user',
      code: 'source_link_outside',
      message: /passwords/,
    });
    await expectNothingAccepted(stage);
  });

  test('with a file of 200 MB', async () => {
    await using stage = await openCliStage();
    const file = await open(path.join(stage.site, 'big.bin'), 'w');
    await file.truncate(200 * 1024 * 1024);
    await file.close();
    const result = await run(stage);
    expect([result.code, jobOf(result).filesChanged]).toEqual([
      0,
      [{ path: 'contact.html', change: 'created' }],
    ]);
  });

  test('with newlines and escape sequences in names', async () => {
    await using stage = await openCliStage();
    await writeFile(path.join(stage.site, 'two\nlines\u001B[2J.txt'), 'x\n');
    const result = await stage.capstan(['run', 'x', '--dir', stage.site]);
    expect(result.code).toBe(0);
    expect(result.stdout + result.stderr).not.toContain('\u001B');
  });
});

describe('the key', () => {
  test('that is not there', async () => {
    await using stage = await openCliStage();
    const env = { OPENAI_API_KEY: undefined };
    const result = await stage.capstan(['run', 'x', '--json', '--dir', stage.site], { env });
    expectError(result, { exit: 2, kind: 'configuration', code: 'no_key' });
    expect(errorOf(result).hint).toContain('OPENAI_API_KEY');
    await expectNothingAccepted(stage);
  });

  test('that is wrong is said once and not offered again', async () => {
    await using stage = await openCliStage();
    const key = 'sk-a-wrong-key-0123456789';
    const result = await stage.capstan(['run', 'x', '--json', '--dir', stage.site], {
      env: { OPENAI_API_KEY: key },
    });
    expectError(result, { exit: 2, kind: 'auth', code: 'key_refused', message: /401/ });
    expect(stage.model.requests.map(({ method, path: at }) => `${method} ${at}`)).toEqual(['GET /v1/models']);
    expect(result.stdout + result.stderr).not.toContain(key);
    await expectNothingAccepted(stage);
  });

  test('that is refused in the middle of a job ends the job at once', async () => {
    await using stage = await openCliStage({ conversations: [{ turns: [{ fault: 'unauthorized' }] }] });
    const result = await run(stage);
    expect(result.code).toBe(1);
    expect(jobOf(result)).toMatchObject({ state: 'failed', attempt: 1, failure: { kind: 'auth' } });
    const asked = stage.model.requests.filter(({ path: at }) => at === '/v1/responses');
    expect(asked).toHaveLength(1);
  });
});

describe('Codex', () => {
  test('that is missing', async () => {
    await using stage = await openCliStage();
    const env = { CAPSTAN_CODEX__BIN: '/nowhere/codex' };
    for (const args of [['run', 'x', '--dir', stage.site], ['worker'], ['serve', '--port', '0']]) {
      const result = await stage.capstan([...args, '--json'], { env });
      expectError(result, {
        exit: 2,
        kind: 'configuration',
        code: 'codex_missing',
        message: /\/nowhere\/codex/,
      });
    }
  });

  test('of another version gets a warning that names both', async () => {
    await using stage = await openCliStage();
    const wrapper = stage.dir.join('codex');
    const real = vendoredBinary(import.meta.filename);
    await writeFile(
      wrapper,
      `#!/bin/sh\n[ "$1" = --version ] && echo "codex-cli 0.1.2" && exit\nexec '${String(real)}' "$@"\n`,
    );
    await chmod(wrapper, 0o755);
    const result = await stage.capstan(['run', 'x', '--dir', stage.site], {
      env: { CAPSTAN_CODEX__BIN: wrapper, CAPSTAN_LOG__LEVEL: 'warn' },
    });
    expect(result.code).toBe(0);
    expect(result.stderr).toMatch(/0\.1\.2.*0\.169\.0|0\.169\.0.*0\.1\.2/);
    const doctor = await stage.capstan(['doctor'], { env: { CAPSTAN_CODEX__BIN: wrapper } });
    expect(doctor.stdout).toMatch(/0\.1\.2.*0\.169\.0|0\.169\.0.*0\.1\.2/);
  });
});

describe('serve', () => {
  test('on a port that is taken', async () => {
    await using stage = await openCliStage();
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const result = await stage.capstan(['serve', '--no-worker', '--json', '--port', String(port)]);
    other.close();
    expectError(result, {
      exit: 2,
      kind: 'configuration',
      code: 'port_taken',
      message: new RegExp(String(port)),
    });
  });

  test('twice on one data folder; the first goes on', async () => {
    await using stage = await openCliStage();
    const args = ['serve', '--no-worker', '--json', '--port', '0'];
    const first = stage.start(args);
    const [ready] = (await once(first.stdout ?? first, 'data')) as [Buffer];
    const { url } = JSON.parse(ready.toString()) as { url: string };
    expectError(await stage.capstan(args), { exit: 2, code: 'already_served', message: /data/ });
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    const ended = once(first, 'exit');
    first.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
  });

  test('beyond this machine without a key', async () => {
    await using stage = await openCliStage();
    const result = await stage.capstan([
      'serve',
      '--no-worker',
      '--json',
      '--host',
      '0.0.0.0',
      '--port',
      '0',
    ]);
    expectError(result, { exit: 2, kind: 'configuration', code: 'api_key_required' });
  });
});

describe('the data folder', () => {
  test('that is read-only', async () => {
    await using stage = await openCliStage();
    await mkdir(stage.dataDir, { mode: 0o555 });
    const result = await stage.capstan(['jobs', 'list', '--json'], { unprivileged: true });
    expectError(result, { exit: 2, kind: 'configuration', code: 'store_read_only', message: /data/ });
  });

  test('whose database is locked; nothing is lost', async () => {
    await using stage = await openCliStage();
    const env = { CAPSTAN_STORE__BUSY_TIMEOUT: '200ms' };
    await stage.capstan(['jobs', 'list']);
    {
      using _locked = lockDatabase(stage.dataDir);
      const result = await stage.capstan(['run', 'x', '--json', '--dir', stage.site], { env });
      expectError(result, { exit: 69, code: 'store_busy', message: /locked/ });
    }
    expect((await run(stage)).code).toBe(0);
  });

  test('whose database is damaged, of a newer version, or not ours; it stays as it is', async () => {
    await using stage = await openCliStage();
    await stage.capstan(['jobs', 'list']);
    const file = path.join(stage.dataDir, 'capstan.db');
    const newer = stage.dir.join('newer.db');
    await copyFile(file, newer);
    const db = new BetterSqlite3(newer);
    db.exec('INSERT INTO schema_version VALUES (99, 0)');
    db.close();
    const foreign = stage.dir.join('foreign.db');
    const theirs = new BetterSqlite3(foreign);
    theirs.exec('CREATE TABLE theirs (x)');
    theirs.close();
    const cases = [
      ['store_corrupt', Buffer.alloc(8192, 'no database at all ')],
      ['store_newer', await readFile(newer)],
      ['store_foreign', await readFile(foreign)],
    ] as const;
    for (const [code, content] of cases) {
      const folder = stage.dir.join(code);
      const there = path.join(folder, 'capstan.db');
      await mkdir(folder);
      await writeFile(there, content);
      const result = await stage.capstan(['jobs', 'list', '--json', '--db-path', there]);
      expectError(result, { exit: 2, kind: 'configuration', code, message: /capstan\.db/ });
      expect((await readFile(there)).equals(content)).toBe(true);
    }
  });

  needs('root').test('on a full disk; what was accepted before is kept', async ({ skip }) => {
    await using stage = await openCliStage();
    const disk = stage.dir.join('disk');
    await mkdir(disk);
    const mount = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', disk], { encoding: 'utf8' });
    if (mount.status !== 0) skip(`no file system can be mounted: ${mount.stderr.trim()}`);
    try {
      const env = { CAPSTAN_DATA: path.join(disk, 'data') };
      await writeFile(path.join(stage.site, 'big.bin'), Buffer.alloc(8 * 1024 * 1024, 7));
      const result = await stage.capstan(['run', 'x', '--json', '--dir', stage.site], { env });
      const error = errorOf(result);
      expect([result.code, error.code]).toEqual([1, expect.stringMatching(/^(?:disk_full|store_full)$/)]);
      expect(error.message).toMatch(/full|no space/i);
      expect(error.hint).toMatch(/[Ff]ree/);
      // What lay there for the job that was not accepted is gone: there is room again.
      const list = await stage.capstan(['jobs', 'list', '--json'], { env });
      expect(JSON.parse(list.stdout)).toMatchObject({ items: [] });
    } finally {
      spawnSync('umount', ['-l', disk]);
    }
  });
});

test.each(['/', '/proc', '/proc/self', '/sys', '/dev'])(
  'the folder %s is refused by name',
  async (folder) => {
    await using stage = await openCliStage();
    const result = await stage.capstan(['run', 'x', '--json', '--dir', folder]);
    expectError(result, { exit: 2, kind: 'user', code: 'source_is_system' });
    expect(errorOf(result).message).toContain('"/');
  },
);

test('an idempotency key that stands for another job is refused', async () => {
  await using stage = await openCliStage();
  const run = async (prompt: string) =>
    stage.capstan(['run', prompt, '--key', 'once', '--dir', 'site', '--json']);
  const first = await run('Add a contact page');
  expect(first.code).toBe(0);
  expect(jobOf(await run('Add a contact page')).id).toBe(jobOf(first).id);
  const other = await run('Remove all pages');
  expectError(other, { exit: 2, kind: 'user', code: 'idempotency_conflict' });
  expect(errorOf(other).message).toContain(jobOf(first).id);
});

describe('the beginning of a job id', () => {
  test('will do where it is one job, and is refused with the candidates where not', async () => {
    await using stage = await openCliStage();
    const submit = async (prompt: string): Promise<string> => {
      const input = JSON.stringify({ prompt, source: { dir: stage.site } });
      return (await stage.capstan(['jobs', 'submit', 'codex', input])).stdout.trim();
    };
    const ids = [await submit('one'), await submit('two')] as const;
    const shown = await stage.capstan(['jobs', 'show', ids[0].slice(0, -2), '--json']);
    expect(JSON.parse(shown.stdout)).toMatchObject({ id: ids[0] });
    const several = await stage.capstan(['jobs', 'show', ids[0].slice(0, 6), '--json']);
    expectError(several, { exit: 2, kind: 'user', code: 'ambiguous_job_id' });
    for (const id of ids) expect(errorOf(several).hint).toContain(id);
    const cancelled = await stage.capstan(['jobs', 'cancel', ids[1].slice(0, -1)]);
    expect([cancelled.code, cancelled.stderr]).toEqual([0, `Job ${ids[1]} is cancelled.\n`]);
  });
});

describe('a job id that there is not', () => {
  test.each(['show', 'logs', 'cancel', 'retry', 'apply'])('jobs %s', async (command) => {
    await using stage = await openCliStage();
    for (const id of [unknownId, '../x', 'no']) {
      const result = await stage.capstan(['jobs', command, id, '--json']);
      expectError(result, { exit: 2, kind: 'user', code: 'job_not_found' });
      expect(result.stdout).toBe('');
    }
  });
});

test('settings that cannot be used are all said at once', async () => {
  await using stage = await openCliStage();
  const env = { CAPSTAN_HTTP__PORT: 'x', CAPSTAN_CODEX__DRIVER: 'no' };
  const result = await stage.capstan(['jobs', 'list', '--json'], { env });
  expectError(result, {
    exit: 2,
    kind: 'configuration',
    code: 'invalid_configuration',
    message: /http\.port[^]*codex\.driver|codex\.driver[^]*http\.port/,
  });
});
