import { describe, expect, test } from 'vitest';
import { planMounts } from './mounts.ts';

describe('what a container sees of this machine', () => {
  test('one folder holds the data, the database and the agents home, under the name that it has', () => {
    const plan = planMounts({
      platform: 'linux',
      dataDir: '/srv/it/.capstan',
      dbPath: '/srv/it/.capstan/capstan.db',
      codexHome: '/srv/it/.capstan/codex-home',
    });
    expect(plan.mounts).toEqual([{ source: '/srv/it/.capstan', target: '/srv/it/.capstan' }]);
    expect(plan.inside).toEqual({
      dataDir: '/srv/it/.capstan',
      dbPath: '/srv/it/.capstan/capstan.db',
      codexHome: '/srv/it/.capstan/codex-home',
    });
  });

  test('what lies elsewhere is mounted besides, a database always with its folder', () => {
    const { mounts } = planMounts({
      platform: 'darwin',
      dataDir: '/data',
      dbPath: '/data-of-others/jobs.db',
      codexHome: '/Users/me/.codex',
    });
    expect(mounts.map(({ source }) => source)).toEqual(['/data', '/data-of-others', '/Users/me/.codex']);
  });

  test('a path of Windows gets a name that a container can have', () => {
    const plan = planMounts({
      platform: 'win32',
      dataDir: 'C:\\Users\\me\\course\\.capstan',
      dbPath: 'C:\\Users\\me\\course\\.capstan\\capstan.db',
      codexHome: 'D:\\codex',
    });
    expect(plan.mounts).toEqual([
      { source: 'C:\\Users\\me\\course\\.capstan', target: '/capstan/data' },
      { source: 'D:\\codex', target: '/capstan/codex-home' },
    ]);
    expect(plan.inside).toEqual({
      dataDir: '/capstan/data',
      dbPath: '/capstan/data/capstan.db',
      codexHome: '/capstan/codex-home',
    });
  });
});

test('a worker that runs no agent is shown no folder with a login', () => {
  const folders = { platform: 'linux', dataDir: '/d', dbPath: '/d/capstan.db' } as const;
  expect(planMounts({ ...folders, codexHome: '/login' }).mounts).toContainEqual({
    source: '/login',
    target: '/login',
  });
  const plan = planMounts({ ...folders, codexHome: null });
  expect(plan.mounts).toEqual([{ source: '/d', target: '/d' }]);
  expect(plan.inside.codexHome).toBe('/d/codex-home');
});
