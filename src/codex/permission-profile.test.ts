import { describe, expect, test } from 'vitest';
import { permissionProfile, type ProfileInput } from './permission-profile.ts';

const job: ProfileInput = {
  sandboxMode: 'workspace-write',
  network: false,
  workspaceDir: '/data/jobs/1/workspace',
  homeDir: '/data/jobs/1/home',
  tmpDir: '/data/jobs/1/home/tmp',
  deniedPaths: ['/data'],
};

describe('permissionProfile', () => {
  test('workspace-write: the disk is read, our data denied, workspace and HOME written', () => {
    expect(permissionProfile(job)).toEqual({
      filesystem: {
        ':root': 'read',
        '/data': 'deny',
        '/data/jobs/1/home': 'write',
        '/data/jobs/1/workspace': 'write',
      },
      network: { enabled: false },
    });
  });

  test('read-only: a hidden workspace is shown through the folder around it', () => {
    expect(permissionProfile({ ...job, sandboxMode: 'read-only' })?.filesystem).toEqual({
      ':root': 'read',
      '/data': 'deny',
      '/data/jobs/1': 'write',
      '/data/jobs/1/home': 'write',
      '/data/jobs/1/workspace': 'read',
    });
  });

  test('read-only: a workspace that is not hidden needs nothing around it', () => {
    const profile = permissionProfile({ ...job, sandboxMode: 'read-only', deniedPaths: ['/elsewhere'] });
    expect(profile?.filesystem).not.toHaveProperty(['/data/jobs/1']);
    expect(profile?.filesystem['/data/jobs/1/workspace']).toBe('read');
  });

  test('danger-full-access has no profile', () => {
    expect(permissionProfile({ ...job, sandboxMode: 'danger-full-access' })).toBeNull();
  });

  test('network is open only where it was asked for', () => {
    expect(permissionProfile({ ...job, network: true })?.network).toEqual({ enabled: true });
  });

  test('TMPDIR is named where it does not lie in HOME', () => {
    expect(permissionProfile({ ...job, tmpDir: '/scratch/1' })?.filesystem['/scratch/1']).toBe('write');
  });

  test('of denied folders inside each other the outermost is named', () => {
    const { filesystem } = permissionProfile({
      ...job,
      deniedPaths: ['/data/codex', '/data', '/data', '/etc/x'],
    }) ?? { filesystem: {} };
    const denied = Object.entries(filesystem).filter(([, access]) => access === 'deny');
    expect(denied.map(([dir]) => dir)).toEqual(['/data', '/etc/x']);
  });

  test('a denied folder inside a writable one stays denied', () => {
    const deniedPaths = ['/data', '/data/jobs/1/source'];
    const profile = permissionProfile({ ...job, sandboxMode: 'read-only', deniedPaths });
    expect(profile?.filesystem['/data/jobs/1/source']).toBe('deny');
  });
});
