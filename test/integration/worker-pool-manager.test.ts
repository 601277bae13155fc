import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import {
  loadConfig,
  loadProfile,
  openCapstan,
  platformPaths,
  WorkerPoolManager,
  createLogger,
} from '../../src/index.ts';
import { openBuildStage, type BuildStage } from '../support/build-stage.ts';

const program = path.join(import.meta.dirname, '../children/capstan.ts');

async function openPool(
  stage: BuildStage,
  count: number,
  open: AsyncDisposableStack,
): Promise<WorkerPoolManager> {
  const environment = {
    CAPSTAN_DATA: stage.dataDir,
    PATH: process.env['PATH'] ?? '',
    CAPSTAN_WORKERS__START_RETRIES: '0',
  };
  const paths = platformPaths({ name: process.platform, home: stage.root, environment });
  const loaded = loadConfig({ flags: {}, environment, cwd: stage.root, paths });
  const logger = createLogger({ level: 'silent', format: 'json', destination: process.stderr });
  const profile = loadProfile(environment);
  const capstan = open.use(
    await openCapstan({ config: loaded.config, profile, logger, commandPath: environment.PATH }),
  );
  const surroundings = {
    program: [process.execPath, program],
    settings: [],
    env: environment,
    cwd: stage.root,
    onLogLine: () => undefined,
  } as const;
  return open.use(
    new WorkerPoolManager({ capstan, loaded, surroundings, workers: [{ type: 'shout', count }] }),
  );
}

test('a pool of a program serves builds and goes with it', async () => {
  await using stage = await openBuildStage({
    'course.yaml': 'jobs: [{ type: shout, input: a.txt }]',
    'a.txt': 'a',
  });
  {
    await using open = new AsyncDisposableStack();
    const pool = await openPool(stage, 2, open);
    expect(await pool.startPools(AbortSignal.timeout(50_000))).toHaveLength(2);
    expect((await pool.listWorkers()).map(({ state }) => state)).toEqual(['running', 'running']);
    expect((await stage.build('--no-auto-start')).code).toBe(0);
  }
  await stage.quiet();
});

test('a pool of which one does not start leaves none', async () => {
  await using stage = await openBuildStage({});
  await writeFile(path.join(stage.dataDir, 'shout-is-missing'), '');
  await using open = new AsyncDisposableStack();
  const pool = await openPool(stage, 1, open);
  await expect(pool.startPools(AbortSignal.timeout(50_000))).rejects.toMatchObject({ code: 'shout_missing' });
  expect(await pool.listWorkers()).toEqual([]);
});
