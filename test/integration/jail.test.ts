import { execFile } from 'node:child_process';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { expect, test as always } from 'vitest';
import { containedCommand, probeContainment } from '../../src/supervisor/contain.ts';
import { jailed, probeJail, type JailRules } from '../../src/supervisor/jail.ts';
import { needs } from '../support/needs.ts';
import { makeTree } from '../support/scratch-folder.ts';
import { tempDir } from '../support/temp-dir.ts';

const run = promisify(execFile);
const { test } = needs('userns');
const path = '/usr/bin:/bin';
const limit = (): AbortSignal => AbortSignal.timeout(20_000);

/** What a shell script says inside a jail, which is itself held as all children are. */
async function inJail(script: string, rules: Partial<JailRules>, cwd = '/'): Promise<string> {
  const spec = await jailed(
    { command: '/bin/sh', args: ['-c', script], env: { PATH: path, MARK: 'kept' }, cwd },
    { folders: [], network: 'none', ...rules },
    await probeJail(limit()),
  );
  const [command, ...args] = containedCommand(await probeContainment(limit()), spec.command, spec.args);
  const { stdout } = await run(command, args, { env: spec.env, cwd: spec.cwd, timeout: 20_000 });
  return stdout.trim();
}

test('a jailed program sees the folders that were named, under their own paths, and no other', async () => {
  await using dir = await tempDir();
  await makeTree(dir.path, { 'a b$c/file': 'inside', 'other/file': 'outside' });
  const folder = dir.join('a b$c');
  const folders = [{ path: folder, access: 'read' as const }];
  expect(
    await inJail('cat file; echo; ls ..; ls /home /root /var/lib 2>&1 | grep -c cannot', { folders }, folder),
  ).toBe('inside\na b$c\n3');
});

test("nothing in a jail writes the kernel's settings, also where it is root's", async () => {
  const write = '(cat /proc/sys/kernel/core_pattern >/proc/sys/kernel/core_pattern) 2>/dev/null';
  expect(await inJail(`${write} && echo written || echo refused`, {})).toBe('refused');
  const bare = await jailed(
    {
      command: '/bin/sh',
      args: ['-c', `${write} && echo written || echo refused`],
      env: { PATH: path },
      cwd: '/',
    },
    { folders: [], network: 'none' },
    await probeJail(limit()),
  );
  // Also where no PID namespace is around it.
  const { stdout } = await run(bare.command, bare.args, { env: bare.env, cwd: bare.cwd, timeout: 20_000 });
  expect(stdout).toBe('refused\n');
});

test('a folder to read cannot be written, one to write can', async () => {
  await using dir = await tempDir();
  await makeTree(dir.path, { read: null, write: null });
  const folders = [
    { path: dir.join('read'), access: 'read' as const },
    { path: dir.join('write'), access: 'write' as const },
  ];
  const script = `cd '${dir.path}'; touch read/x 2>/dev/null || echo refused; echo done >write/x; touch /usr/x 2>/dev/null || echo refused`;
  expect(await inJail(script, { folders })).toBe('refused\nrefused');
  expect(await readFile(dir.join('write/x'), 'utf8')).toBe('done\n');
});

test('there is no way out through /proc, and no right to make one', async () => {
  const script =
    'ls /proc/1/root/ 2>/dev/null | wc -l; grep -E "^Cap(Eff|Bnd)" /proc/self/status | sort -u -k2 | wc -l; umount /usr 2>/dev/null || echo kept; cat /etc/shadow 2>/dev/null || echo none';
  expect(await inJail(script, {})).toBe('0\n1\nkept\nnone');
});

test('no address can be reached, unless the network is open', async () => {
  const server = createServer((socket) => {
    socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const connect = `python3 -c 'import socket; socket.create_connection(("127.0.0.1", ${port}), timeout=5)' 2>/dev/null && echo reached || echo closed`;
  try {
    expect(await inJail(connect, { network: 'none' })).toBe('closed');
    expect(await inJail(connect, { network: 'open' })).toBe('reached');
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
});

test('the environment and the exit code are the program’s own', async () => {
  expect(await inJail('echo $MARK; echo $PATH', {})).toBe(`kept\n${path}`);
  await expect(inJail('exit 7', {})).rejects.toMatchObject({ code: 7 });
});

always('without namespaces the program is left as it is', async () => {
  const spec = { command: '/bin/true', args: [], env: {}, cwd: '/' };
  expect(
    await jailed(spec, { folders: [], network: 'none' }, { kind: 'none', why: 'the test says so' }),
  ).toBe(spec);
});
