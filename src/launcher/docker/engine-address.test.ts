import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { tempDir } from '../../../test/support/temp-dir.ts';
import { engineSocket } from './engine-address.ts';

const nowhere = { home: '/nowhere', platform: 'linux' } as const;

test('the engine is the one that the docker command would ask', () => {
  expect(engineSocket({ ...nowhere, environment: {} })).toBe('/var/run/docker.sock');
  expect(engineSocket({ ...nowhere, platform: 'win32', environment: {} })).toBe('//./pipe/docker_engine');
  expect(
    engineSocket({ ...nowhere, environment: { DOCKER_HOST: 'unix:///run/user/1000/docker.sock' } }),
  ).toBe('/run/user/1000/docker.sock');
});

test('an engine on another machine is refused, without showing a password', () => {
  for (const host of ['tcp://10.0.0.1:2375', 'ssh://me:secret@far', 'localhost:2375']) {
    const ask = (): string => engineSocket({ ...nowhere, environment: { DOCKER_HOST: host } });
    expect(ask).toThrow(expect.objectContaining({ code: 'docker_remote', kind: 'configuration' }));
    expect(ask).not.toThrow('secret');
  }
});

test('the chosen context counts, where no variable says otherwise', async () => {
  await using home = await tempDir();
  const id = createHash('sha256').update('rootless').digest('hex');
  const meta = home.join('.docker/contexts/meta', id);
  await mkdir(meta, { recursive: true });
  await writeFile(home.join('.docker/config.json'), '{"currentContext":"rootless"}');
  const host = 'unix:///run/user/7/docker.sock';
  await writeFile(`${meta}/meta.json`, JSON.stringify({ Endpoints: { docker: { Host: host } } }));
  const of = (environment: Record<string, string>): string =>
    engineSocket({ platform: 'linux', home: home.path, environment });
  expect(of({})).toBe('/run/user/7/docker.sock');
  expect(of({ DOCKER_CONTEXT: 'default' })).toBe('/var/run/docker.sock');
  expect(of({ DOCKER_HOST: 'unix:///other.sock' })).toBe('/other.sock');
});
