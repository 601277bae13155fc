import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { tempDir, type TempDir } from '../../test/support/temp-dir.ts';
import { sendJson, startUpstream } from '../../test/support/upstream.ts';
import { requireChecks } from './check.ts';
import { checkHome } from './check-home.ts';
import { checkModel } from './check-model.ts';
import { checkSandbox } from './check-sandbox.ts';
import { findCodex } from './find-codex.ts';
import { preflight, type PreflightOptions } from './preflight.ts';

const apiKey = 'sk-preflight-0123456789';
const path = '/usr/local/bin:/usr/bin:/bin';
const { signal } = new AbortController();
let dir: TempDir;

beforeEach(async () => {
  dir = await tempDir('cache');
  onTestFinished(() => dir[Symbol.asyncDispose]());
});

async function script(text: string): Promise<string> {
  const file = dir.join('codex-script');
  await writeFile(file, `#!/bin/sh\n${text}\n`);
  await chmod(file, 0o755);
  return file;
}

async function options(baseUrl: string): Promise<PreflightOptions> {
  await mkdir(dir.join('home'));
  return {
    bin: null,
    path,
    codexHome: dir.join('home'),
    sandboxMode: 'workspace-write',
    upstream: { baseUrl, apiKey },
    signal,
  };
}

describe('the pre-flight', () => {
  it('passes where everything is there', async () => {
    await using upstream = await startUpstream((_req, res) => {
      sendJson(res, 200, { data: [] });
    });
    const { checks, codex } = await preflight(await options(upstream.baseUrl));
    expect(checks.map(({ name, ok }) => [name, ok])).toEqual([
      ['codex', true],
      ['codex home', true],
      ['sandbox', true],
      ['model', true],
    ]);
    expect(codex?.warning).toBeNull();
    expect(upstream.requests[0]?.headers.authorization).toBe(`Bearer ${apiKey}`);
    expect(() => {
      requireChecks(checks);
    }).not.toThrow();
  });

  it('goes on with a warning where the version is another one', async () => {
    const bin = await script('case "$1" in --version) echo codex-cli 9.9.9;; esac');
    const { checks } = await preflight({ ...(await options('http://127.0.0.1:9')), bin });
    const version = checks.find((check) => check.name === 'codex version');
    expect(version).toMatchObject({ ok: false, required: false, detail: expect.stringContaining('9.9.9') });
    expect(() => {
      requireChecks(checks);
    }).not.toThrow();
  });

  it('reports everything that is wrong at once, and the first of it as the error', async () => {
    await using upstream = await startUpstream((_req, res) => {
      sendJson(res, 401, {});
    });
    const { checks, codex } = await preflight({ ...(await options(upstream.baseUrl)), bin: '/no/codex' });
    expect(codex).toBeNull();
    expect(checks.filter((check) => !check.ok).map((check) => check.code)).toEqual([
      'codex_missing',
      'key_refused',
    ]);
    expect(() => {
      requireChecks(checks);
    }).toThrow(expect.objectContaining({ kind: 'configuration', code: 'codex_missing' }));
  });

  it('asks for a login where there is to be one', async () => {
    const given = { ...(await options('http://127.0.0.1:9')), upstream: null };
    const { checks, codex } = await preflight(given);
    expect(checks.at(-1)).toMatchObject({ name: 'login', ok: false, kind: 'configuration', code: 'no_key' });
    await writeFile(dir.join('home/auth.json'), JSON.stringify({ OPENAI_API_KEY: apiKey }));
    expect(codex).not.toBeNull();
    expect((await preflight(given)).checks.at(-1)).toMatchObject({ name: 'login', ok: true });
  });

  it('ends with its signal', async () => {
    const stop = new AbortController();
    const bin = await script('exec sleep 60');
    const running = preflight({ ...(await options('http://127.0.0.1:9')), bin, signal: stop.signal });
    stop.abort(new Error('enough'));
    await expect(running).rejects.toThrow('enough');
  });
});

describe('the check of the sandbox', () => {
  it('fails, with what Codex says, where no namespace can be made', async () => {
    const { path: codex } = await findCodex({ bin: null, path, signal });
    const bin = await script(
      `exec unshare --user --map-root-user sh -c 'echo 0 > /proc/sys/user/max_user_namespaces; exec "$0" "$@"' '${codex}' "$@"`,
    );
    const check = await checkSandbox({
      bin,
      path,
      codexHome: dir.path,
      sandboxMode: 'workspace-write',
      signal,
    });
    expect(check).toMatchObject({
      ok: false,
      required: true,
      kind: 'configuration',
      code: 'sandbox_unavailable',
      detail: expect.stringContaining('namespace'),
      hint: expect.stringContaining('danger-full-access'),
    });
  });

  it('is left out where no sandbox is wanted', async () => {
    const sandboxMode = 'danger-full-access';
    const check = await checkSandbox({ bin: '/no/codex', path, codexHome: dir.path, sandboxMode, signal });
    expect(check.ok).toBe(true);
  });

  it('needs no CODEX_HOME', async () => {
    const { path: bin } = await findCodex({ bin: null, path, signal });
    const codexHome = dir.join('missing');
    expect(await checkSandbox({ bin, path, codexHome, sandboxMode: 'read-only', signal })).toMatchObject({
      ok: true,
    });
  });
});

describe('the check of CODEX_HOME', () => {
  it('passes for a folder that is there or can be made', async () => {
    expect(await checkHome(dir.path)).toMatchObject({ ok: true, detail: dir.path });
    expect(await checkHome(dir.join('a/b/c'))).toMatchObject({
      ok: true,
      detail: expect.stringContaining('will be'),
    });
  });

  it.each(['file', 'file/below', '/proc/nothing'])('fails for %s', async (name) => {
    await writeFile(dir.join('file'), '');
    const home = name.startsWith('/') ? name : dir.join(name);
    // /proc takes no folder from anybody, root included.
    const check = await checkHome(home);
    expect(check).toMatchObject({ ok: false, kind: 'configuration', code: 'codex_home_unusable' });
    expect(check.detail).toContain(home);
  });
});

describe('the check of the model', () => {
  it.each([
    [200, {}, { ok: true }],
    [404, {}, { ok: true }],
    [401, {}, { ok: false, required: true, kind: 'auth', code: 'key_refused' }],
    [403, {}, { ok: false, required: true, kind: 'auth', code: 'key_refused' }],
    [403, { error: { message: 'Missing scopes: api.model.read' } }, { ok: true }],
    [302, {}, { ok: false, required: true, kind: 'configuration', code: 'endpoint_redirects' }],
    [429, {}, { ok: false, required: false, kind: 'infrastructure', code: 'model_failed' }],
    [503, {}, { ok: false, required: false, kind: 'infrastructure', code: 'model_failed' }],
  ])('takes an answer %d %j', async (status, body, expected) => {
    await using upstream = await startUpstream((_req, res) => {
      res.setHeader('location', '/elsewhere');
      sendJson(res, status, body);
    });
    const check = await checkModel({ baseUrl: upstream.baseUrl, apiKey }, signal);
    expect(check).toMatchObject(expected);
    expect(JSON.stringify(check)).not.toContain(apiKey);
    expect(upstream.requests).toHaveLength(1);
  });

  it('warns where nobody answers', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    server.close();
    await once(server, 'close');
    expect(
      await checkModel({ baseUrl: `http://127.0.0.1:${String(port)}/v1`, apiKey }, signal),
    ).toMatchObject({
      ok: false,
      required: false,
      kind: 'infrastructure',
      code: 'model_unreachable',
      detail: expect.stringContaining('ECONNREFUSED'),
    });
  });

  it.each([
    ['https://api.example/v1', '', 'no_key'],
    ['https://api.example/v1', 'sk-with\na line break', 'key_invalid'],
    ['nonsense', apiKey, 'base_url_invalid'],
  ])('refuses %s with the key %j', async (baseUrl, key, code) => {
    const check = await checkModel({ baseUrl, apiKey: key }, signal);
    expect(check).toMatchObject({ ok: false, required: true, kind: 'configuration', code });
    expect(check.hint).toMatch(/OPENAI_API_KEY|codex\.base_url/);
    if (key !== '') expect(JSON.stringify(check)).not.toContain(key);
  });
});
