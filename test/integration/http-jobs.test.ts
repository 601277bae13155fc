import { writeFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { problemSchema } from '../../src/contract/problem.ts';
import { finish, openTestServer, type TestServer } from '../support/http-server.ts';
import { tempDir } from '../support/temp-dir.ts';

const anInput = { type: 'noop', input: { text: 'do it' } };

describe('POST /api/jobs', () => {
  test('accepts a job and says where it is', async () => {
    await using t = await openTestServer();
    const answer = await t.server.inject({ method: 'POST', url: '/api/jobs', payload: anInput });
    expect(answer.statusCode).toBe(201);
    const job = answer.json<{ id: string }>();
    expect(job).toMatchObject({ type: 'noop', state: 'queued', attempt: 0, input: { text: 'do it' } });
    expect(answer.headers.location).toBe(`/api/jobs/${job.id}`);
    const there = await t.server.inject(String(answer.headers.location));
    expect(there.json()).toEqual(job);
  });

  test('a known idempotency key gives the first job again', async () => {
    await using t = await openTestServer();
    const payload = { ...anInput, idempotencyKey: 'once' };
    const answers = await Promise.all(
      [1, 2, 3].map(() => t.server.inject({ method: 'POST', url: '/api/jobs', payload })),
    );
    expect(answers.map(({ statusCode }) => statusCode).sort()).toEqual([200, 200, 201]);
    expect(new Set(answers.map((answer) => answer.json<{ id: string }>().id)).size).toBe(1);
    const key = answers.map(({ headers }) => headers.location);
    expect(new Set(key).size).toBe(1);
  });

  test('a known idempotency key with another request is a conflict, and nothing is accepted', async () => {
    await using t = await openTestServer();
    const post = async (payload: object) => t.server.inject({ method: 'POST', url: '/api/jobs', payload });
    const first = await post({ ...anInput, idempotencyKey: 'once' });
    const other = await post({ type: 'noop', input: { text: 'do that' }, idempotencyKey: 'once' });
    expect(other.statusCode).toBe(409);
    expect(problemSchema.parse(other.json())).toMatchObject({
      code: 'idempotency_conflict',
      detail: expect.stringContaining(first.json<{ id: string }>().id) as string,
    });
    expect((await t.server.inject('/api/jobs')).json<{ items: unknown[] }>().items).toHaveLength(1);
  });

  test('a codex job is the same where its folder has changed or gone since', async () => {
    await using t = await openTestServer();
    await using dir = await tempDir();
    await writeFile(dir.join('a.txt'), 'a');
    const payload = {
      type: 'codex',
      input: { prompt: 'x', source: { dir: dir.path } },
      idempotencyKey: 'once',
    };
    const post = async () => t.server.inject({ method: 'POST', url: '/api/jobs', payload });
    const first = await post();
    expect(first.statusCode).toBe(201);
    await writeFile(dir.join('a.txt'), 'b');
    const again = await post();
    expect([again.statusCode, again.json<{ id: string }>().id]).toEqual([
      200,
      first.json<{ id: string }>().id,
    ]);
  });

  test.each([
    ['an unknown type', { type: 'nope', input: {} }, 'unknown_job_type', undefined],
    [
      'an input that does not fit its type',
      { type: 'noop', input: { text: 5 } },
      'invalid_input',
      ['input.text'],
    ],
    [
      'a field that the input does not know',
      { type: 'noop', input: { text: '', x: 1 } },
      'invalid_input',
      ['input'],
    ],
    ['no input', { type: 'noop' }, 'invalid_request', ['input']],
    ['an unknown field', { ...anInput, prio: 1 }, 'invalid_request', ['']],
    ['a priority out of bounds', { ...anInput, priority: 101 }, 'invalid_request', ['priority']],
    ['a time that is none', { ...anInput, runAt: 'tomorrow' }, 'invalid_request', ['runAt']],
    ['a list', [anInput], 'invalid_request', ['']],
  ])('refuses %s', async (_name, payload, code, paths) => {
    await using t = await openTestServer();
    const answer = await t.server.inject({ method: 'POST', url: '/api/jobs', payload });
    expect(answer.statusCode).toBe(400);
    expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
    const problem = problemSchema.parse(answer.json());
    expect(problem).toMatchObject({ status: 400, code });
    expect(problem.hint).not.toBe('');
    expect(problem.errors?.map(({ path }) => path)).toEqual(paths);
    expect((await t.services.store.listJobs({ limit: 1 })).items).toEqual([]);
  });

  test.each([
    ['no JSON', 'application/json', '{"type":', 400],
    ['nothing at all', 'application/json', '', 400],
    [
      'JSON said to be text, which a form of another site can send',
      'text/plain',
      JSON.stringify(anInput),
      415,
    ],
    ['a form', 'application/x-www-form-urlencoded', 'type=noop', 415],
    ['a body of no type', undefined, JSON.stringify(anInput), 415],
    ['a prototype', 'application/json', '{"__proto__":{"x":1}}', 400],
    ['a deep nest', 'application/json', `${'['.repeat(200_000)}${']'.repeat(200_000)}`, 400],
    ['more than 4 MiB', 'application/json', JSON.stringify({ text: 'x'.repeat(5 * 1024 * 1024) }), 413],
  ])('refuses %s', async (_name, type, payload, status) => {
    await using t = await openTestServer();
    const headers = type === undefined ? {} : { 'content-type': type };
    const answer = await t.server.inject({ method: 'POST', url: '/api/jobs', headers, payload });
    expect(answer.statusCode).toBe(status);
    expect(problemSchema.parse(answer.json()).status).toBe(status);
  });
});

describe('a codex job', () => {
  const submit = (t: TestServer, input: unknown) =>
    t.server.inject({ method: 'POST', url: '/api/jobs', payload: { type: 'codex', input } });

  test('is accepted with a copy of its folder', async () => {
    await using t = await openTestServer();
    await using site = await tempDir();
    await writeFile(site.join('a.txt'), 'a');
    const answer = await submit(t, { prompt: ' Add a page ', source: { dir: site.path } });
    expect(answer.statusCode).toBe(201);
    const { input } = answer.json<{ input: unknown }>();
    expect(input).toEqual({
      prompt: 'Add a page',
      source: { dir: site.path, fingerprint: expect.any(String) },
      checks: [],
    });
  });

  test.each([
    [{ source: { dir: '/x' } }, 400, 'invalid_input', 'input.prompt'],
    [{ prompt: ' ', source: { dir: '/x' } }, 400, 'invalid_input', 'input.prompt'],
    [{ prompt: 'x' }, 400, 'invalid_input', 'input.source'],
    [{ prompt: 'x', source: { dir: '/a\0b' } }, 400, 'invalid_input', 'input.source.dir'],
    [{ prompt: 'x', source: { dir: '/x' }, checks: ['a\0b'] }, 400, 'invalid_input', 'input.checks.0'],
    [{ prompt: 'x', source: { dir: '/x' }, timeoutMs: 0 }, 400, 'invalid_input', 'input.timeoutMs'],
    [{ prompt: 'x', source: { dir: 'site' } }, 400, 'source_not_absolute', undefined],
    [{ prompt: 'x', source: { dir: '/nowhere/at/all' } }, 400, 'source_missing', undefined],
    [{ prompt: 'x', source: { dir: `/${'x'.repeat(5000)}` } }, 400, 'source_missing', undefined],
    [{ prompt: 'x', source: { dir: '/dev/null' } }, 400, 'source_not_folder', undefined],
    [{ prompt: 'x', source: { artifact: { jobId: '../..', name: 'x' } } }, 400, 'invalid_job_id', undefined],
    [
      { prompt: 'x', source: { artifact: { jobId: 'x', name: '../x' } } },
      400,
      'invalid_artifact_name',
      undefined,
    ],
    [{ prompt: 'x', source: { artifact: { jobId: 'x', name: 'x' } } }, 404, 'artifact_not_found', undefined],
  ] as const)('%j is refused and leaves nothing', async (input, status, code, place) => {
    await using t = await openTestServer();
    const answer = await submit(t, input);
    const problem = problemSchema.parse(answer.json());
    expect([answer.statusCode, problem.code, problem.errors?.[0]?.path]).toEqual([status, code, place]);
    expect((await t.services.store.listJobs({ limit: 1 })).items).toEqual([]);
    expect(t.logLines).toEqual([]);
  });
});

describe('GET /api/jobs', () => {
  test('pages through all jobs, newest first, each once', async () => {
    await using t = await openTestServer();
    const ids: string[] = [];
    for (let count = 0; count < 7; count += 1) ids.push(await t.submit());
    const seen: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const url = `/api/jobs?limit=3${cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`}`;
      const page: { items: { id: string }[]; nextCursor: string | null } = (
        await t.server.inject(url)
      ).json();
      expect(page.items.length).toBeLessThanOrEqual(3);
      seen.push(...page.items.map(({ id }) => id));
      cursor = page.nextCursor;
    }
    expect(seen).toEqual(ids.toReversed());
  });

  test('shows those in the states and of the type that were asked for', async () => {
    await using t = await openTestServer();
    const done = await t.submit();
    await finish(t, await t.claim());
    const waiting = await t.submit();
    const list = async (query: string): Promise<string[]> => {
      const answer = await t.server.inject(`/api/jobs?${query}`);
      return answer.json<{ items: { id: string }[] }>().items.map(({ id }) => id);
    };
    expect(await list('state=succeeded')).toEqual([done]);
    expect(await list('state=queued')).toEqual([waiting]);
    expect(await list('state=queued&state=succeeded')).toEqual([waiting, done]);
    expect(await list('type=noop')).toEqual([waiting, done]);
    expect(await list('type=codex')).toEqual([]);
  });

  test.each([
    ['state=gone', 'querystring.state'],
    ['limit=0', 'querystring.limit'],
    ['limit=101', 'querystring.limit'],
    ['limit=x', 'querystring.limit'],
    ['page=2', 'querystring'],
  ])('refuses ?%s', async (query, path) => {
    await using t = await openTestServer();
    const answer = await t.server.inject(`/api/jobs?${query}`);
    expect(answer.statusCode).toBe(400);
    expect(problemSchema.parse(answer.json()).errors?.[0]?.path).toBe(path);
  });

  test('refuses a cursor that it never gave', async () => {
    await using t = await openTestServer();
    const answer = await t.server.inject('/api/jobs?cursor=..%2Fx');
    expect([answer.statusCode, answer.json<{ code: string }>().code]).toEqual([400, 'bad_cursor']);
  });
});

describe('what is not there', () => {
  test.each([
    ['GET', '/api/jobs/nope', 'job_not_found'],
    ['GET', '/api/jobs/nope/events', 'job_not_found'],
    ['GET', '/api/jobs/nope/artifacts/x', 'job_not_found'],
    ['POST', '/api/jobs/nope/cancel', 'job_not_found'],
    ['POST', '/api/jobs/nope/retry', 'job_not_found'],
    ['GET', '/api/jobs/%00', 'job_not_found'],
    ['GET', '/nothing', 'route_not_found'],
    ['GET', '/api/jobs/../../etc/passwd', 'route_not_found'],
  ] as const)('%s %s is a problem with a next step', async (method, url, code) => {
    await using t = await openTestServer();
    const answer = await t.server.inject({ method, url });
    expect(answer.statusCode).toBe(404);
    expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
    const problem = problemSchema.parse(answer.json());
    expect(problem.code).toBe(code);
    expect(problem.hint).not.toBe('');
  });
});

describe('cancel and retry', () => {
  test('a waiting job is cancelled at once, and again without harm; then it can be run again', async () => {
    await using t = await openTestServer();
    const id = await t.submit({ priority: 7 });
    for (let time = 0; time < 2; time += 1) {
      const answer = await t.server.inject({ method: 'POST', url: `/api/jobs/${id}/cancel` });
      expect(answer.statusCode).toBe(202);
      expect(answer.json()).toMatchObject({ id, state: 'cancelled' });
    }
    const answer = await t.server.inject({ method: 'POST', url: `/api/jobs/${id}/retry` });
    expect(answer.statusCode).toBe(201);
    const again = answer.json<{ id: string }>();
    expect(again).toMatchObject({ state: 'queued', retryOf: id, priority: 7, input: { text: 'do it' } });
    expect(answer.headers.location).toBe(`/api/jobs/${again.id}`);
  });

  test('a running job is told to stop', async () => {
    await using t = await openTestServer();
    const id = await t.submit();
    await t.claim();
    const answer = await t.server.inject({ method: 'POST', url: `/api/jobs/${id}/cancel` });
    expect(answer.statusCode).toBe(202);
    expect(answer.json()).toMatchObject({ state: 'running', cancelRequested: true });
    const retry = await t.server.inject({ method: 'POST', url: `/api/jobs/${id}/retry` });
    expect([retry.statusCode, retry.json<{ code: string }>().code]).toEqual([409, 'retry_not_applicable']);
  });

  test('a job that has succeeded stays as it is', async () => {
    await using t = await openTestServer();
    const id = await t.submit();
    await finish(t, await t.claim());
    const cancel = await t.server.inject({ method: 'POST', url: `/api/jobs/${id}/cancel` });
    expect([cancel.statusCode, cancel.json<{ code: string }>().code]).toEqual([409, 'job_ended']);
    const retry = await t.server.inject({ method: 'POST', url: `/api/jobs/${id}/retry` });
    expect(retry.statusCode).toBe(409);
    expect((await t.server.inject(`/api/jobs/${id}`)).json()).toMatchObject({ state: 'succeeded' });
  });

  test('a content type without a body does no harm', async () => {
    await using t = await openTestServer();
    const id = await t.submit();
    const headers = { 'content-type': 'application/json' };
    const answer = await t.server.inject({ method: 'POST', url: `/api/jobs/${id}/cancel`, headers });
    expect(answer.statusCode).toBe(202);
  });
});

describe('artifacts', () => {
  test('are handed out byte by byte as files, never as pages', async () => {
    await using t = await openTestServer();
    const id = await t.submit();
    const content = '<script>alert(1)</script>\u0000ü';
    await finish(t, await t.claim(), { 'a.html': content });
    const job = (await t.server.inject(`/api/jobs/${id}`)).json<{ artifacts: { sha256: string }[] }>();
    const answer = await t.server.inject(`/api/jobs/${id}/artifacts/a.html`);
    expect(answer.rawPayload.equals(Buffer.from(content))).toBe(true);
    expect(answer.headers).toMatchObject({
      'content-type': 'application/octet-stream',
      'content-length': String(Buffer.byteLength(content)),
      'content-disposition': 'attachment; filename="a.html"',
      'x-content-type-options': 'nosniff',
      etag: `"${job.artifacts[0]?.sha256}"`,
    });
    const known = await t.server.inject({
      url: `/api/jobs/${id}/artifacts/a.html`,
      headers: { 'if-none-match': `"other", ${answer.headers.etag}` },
    });
    expect([known.statusCode, known.body]).toEqual([304, '']);
    const head = await t.server.inject({ method: 'HEAD', url: `/api/jobs/${id}/artifacts/a.html` });
    expect([head.statusCode, head.body, head.headers.etag]).toEqual([200, '', answer.headers.etag]);
  });

  test('are handed out in parts', async () => {
    await using t = await openTestServer();
    const id = await t.submit();
    await finish(t, await t.claim(), { 'a.txt': '0123456789' });
    const url = `/api/jobs/${id}/artifacts/a.txt`;
    const etag = String((await t.server.inject(url)).headers.etag);
    const get = async (headers: Record<string, string>) => {
      const answer = await t.server.inject({ url, headers });
      return [answer.statusCode, answer.headers['content-range'], answer.body];
    };
    expect(await get({ range: 'bytes=2-4' })).toEqual([206, 'bytes 2-4/10', '234']);
    expect(await get({ range: 'bytes=-2', 'if-range': etag })).toEqual([206, 'bytes 8-9/10', '89']);
    expect(await get({ range: 'bytes=2-4', 'if-range': '"other"' })).toEqual([200, undefined, '0123456789']);
    expect((await get({ range: 'bytes=10-' })).slice(0, 2)).toEqual([416, 'bytes */10']);
  });

  test.each(['..%2f..%2fcapstan.db', '.partial-x', '%2e%2e', 'a%00b', '..%5cx', 'x%0aSet-Cookie:%20a'])(
    'a name that leads elsewhere is refused: %s',
    async (name) => {
      await using t = await openTestServer();
      const id = await t.submit();
      await finish(t, await t.claim(), { 'a.txt': 'a' });
      const answer = await t.server.inject(`/api/jobs/${id}/artifacts/${name}`);
      expect([400, 404]).toContain(answer.statusCode);
      expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
      expect(answer.body).not.toContain(t.opened.dir.path);
    },
  );

  test('one that the job did not leave is not found', async () => {
    await using t = await openTestServer();
    const id = await t.submit();
    const answer = await t.server.inject(`/api/jobs/${id}/artifacts/changes.patch`);
    expect([answer.statusCode, answer.json<{ code: string }>().code]).toEqual([404, 'artifact_not_found']);
  });
});

describe('DELETE /api/jobs/{id}', () => {
  test('takes a job that has ended, and no other', async () => {
    await using t = await openTestServer();
    const [ended, waiting] = [await t.submit(), await t.submit()];
    await finish(t, await t.claim(), { 'a.txt': 'a' });
    const remove = async (id: string) =>
      (await t.server.inject({ method: 'DELETE', url: `/api/jobs/${id}` })).statusCode;
    expect([await remove(ended), await remove(ended), await remove(waiting)]).toEqual([204, 404, 409]);
    expect((await t.server.inject(`/api/jobs/${ended}/artifacts/a.txt`)).statusCode).toBe(404);
    expect((await t.server.inject(`/api/jobs/${waiting}`)).statusCode).toBe(200);
  });
});

describe('a method that a path does not know', () => {
  test.each([
    ['PUT', '/api/jobs', ['GET', 'HEAD', 'POST']],
    ['DELETE', '/healthz', ['GET', 'HEAD']],
    ['GET', '/api/jobs/some-id/cancel', ['POST']],
    ['POST', '/api/jobs/some-id/artifacts/x', ['GET', 'HEAD']],
  ] as const)('%s %s', async (method, url, allowed) => {
    await using t = await openTestServer();
    const answer = await t.server.inject({ method, url });
    expect([answer.statusCode, answer.json<{ code: string }>().code]).toEqual([405, 'method_not_allowed']);
    expect(String(answer.headers.allow).split(', ').sort()).toEqual(allowed);
  });
});
