import { describe, expect, test } from 'vitest';
import type { WorkerSpec } from '../../domain/launcher.ts';
import { containerSpec, type ContainerPlace } from './container-spec.ts';
import type { EngineFacts } from './engine.ts';

const engine: EngineFacts = {
  id: 'ENGINE',
  version: '1',
  rootless: false,
  remapsUsers: false,
  apparmor: false,
  selinux: false,
};
const place: ContainerPlace = {
  engine,
  imageId: 'sha256:0a1b',
  dbPath: '/data/capstan.db',
  mounts: [{ source: '/data', target: '/data' }],
  env: { CAPSTAN_CODEX__MODEL: 'm' },
  getsSecrets: false,
  owner: '1000:1000',
  network: 'net',
  memoryMb: 512,
  cpus: 2,
};
const attached: WorkerSpec = {
  name: 'capstan-x-1',
  type: 'codex',
  buildId: 'b1' as never,
  lifetime: 'attached',
  image: 'capstan-codex',
};
const spec = (over: Partial<ContainerPlace> = {}, worker: WorkerSpec = attached) =>
  containerSpec(worker, { ...place, ...over });

describe('the body of a container', () => {
  test('nothing of the host is in it but the folders named, and no right', () => {
    const { HostConfig: host, User } = spec();
    expect(User).toBe('1000:1000');
    expect(host).toMatchObject({ ReadonlyRootfs: true, CapDrop: ['ALL'] });
    expect(host?.Privileged).toBeUndefined();
    expect(host?.CapAdd).toBeUndefined();
    expect(host?.SecurityOpt).toContain('no-new-privileges');
    expect(host?.Mounts).toEqual([{ Type: 'bind', Source: '/data', Target: '/data' }]);
    expect(JSON.stringify(host)).not.toContain('docker.sock');
  });

  test('one that gets secrets waits for them on its stdin, and is not started again by who cannot give them', () => {
    const service: WorkerSpec = { ...attached, lifetime: 'persistent', buildId: null, wait: false };
    const forgetful = spec({ getsSecrets: true }, service);
    expect(forgetful).toMatchObject({ OpenStdin: true, StdinOnce: true });
    expect(forgetful.Cmd).toContain('--secrets');
    expect(forgetful.HostConfig).toMatchObject({ RestartPolicy: { Name: 'no' } });
    expect(spec({}, service).HostConfig).toMatchObject({ RestartPolicy: { Name: 'on-failure' } });
    expect(spec({}, service).Cmd).not.toContain('--secrets');
  });

  test("a secret's file is mounted for reading alone", () => {
    const mounts = [{ source: '/keys/openai', target: '/run/secrets/OPENAI_API_KEY', readOnly: true }];
    expect(spec({ mounts }).HostConfig?.Mounts).toEqual([
      { Type: 'bind', Source: '/keys/openai', Target: '/run/secrets/OPENAI_API_KEY', ReadOnly: true },
    ]);
  });

  test('its labels say whose it is', () => {
    expect(spec().Labels).toEqual({
      'capstan.worker': 'capstan-x-1',
      'capstan.type': 'codex',
      'capstan.data': '/data/capstan.db',
      'capstan.lifetime': 'attached',
      'capstan.build': 'b1',
    });
  });

  test('root keeps the covers over /proc, through which it could write settings of this machine', () => {
    const others = spec().HostConfig as Record<string, unknown>;
    expect(others['ReadonlyPaths']).toEqual([]);
    const root = spec({ owner: '0:0' }).HostConfig as Record<string, unknown>;
    expect(root['ReadonlyPaths']).toBeUndefined();
    expect(root['MaskedPaths']).toBeUndefined();
    expect(root['CapAdd']).toEqual(['SETFCAP']);
  });

  test('in an engine without root its root is the user of this machine', () => {
    const { User, HostConfig: host } = spec({ engine: { ...engine, rootless: true } });
    expect(User).toBe('0:0');
    expect(host?.CapAdd).toBeUndefined();
  });

  test('the marks of the machine that would refuse its folders are taken off', () => {
    const all = { ...engine, apparmor: true, selinux: true, remapsUsers: true };
    const { HostConfig: host } = spec({ engine: all });
    expect(host?.SecurityOpt).toEqual(expect.arrayContaining(['apparmor=unconfined', 'label=disable']));
    expect(host?.UsernsMode).toBe('host');
  });

  test('limits are kept without swap besides; without a network there is none', () => {
    const { HostConfig: host } = spec({ network: null });
    expect(host).toMatchObject({
      Memory: 512 * 1024 ** 2,
      MemorySwap: 512 * 1024 ** 2,
      NanoCpus: 2e9,
      NetworkMode: 'none',
    });
    expect(host?.ExtraHosts).toBeUndefined();
    expect(spec().HostConfig?.ExtraHosts).toEqual(['host.docker.internal:host-gateway']);
  });

  test('an attached one goes with its stdin and is removed; a service stays until it is stopped', () => {
    expect(spec()).toMatchObject({ OpenStdin: true, StdinOnce: true });
    expect(spec().HostConfig).toMatchObject({ AutoRemove: true, RestartPolicy: { Name: 'no' } });
    expect(spec().Cmd).toEqual(
      expect.arrayContaining(['--parent-pipe', '--engine', 'ENGINE', '--image-id', 'sha256:0a1b']),
    );
    const service = spec({}, { ...attached, lifetime: 'persistent', buildId: null });
    expect(service).toMatchObject({ OpenStdin: false });
    expect(service.HostConfig).toMatchObject({ AutoRemove: false });
    expect(service.Cmd).toContain('--json');
  });

  test('a data folder that is /tmp itself is not covered', () => {
    const { HostConfig: host } = spec({ mounts: [{ source: '/tmp', target: '/tmp' }] });
    expect(Object.keys(host?.Tmpfs ?? {})).toEqual(['/home/capstan']);
  });
});
