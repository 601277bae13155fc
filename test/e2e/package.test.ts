import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, symlink } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { tempDir } from '../support/temp-dir.ts';

const run = promisify(execFile);
const checkout = path.join(import.meta.dirname, '../..');

/** Links what the checkout has installed, a scope as a whole, as an install beside the package would have put it there. */
async function linkDependencies(modules: string): Promise<void> {
  for (const name of await readdir(path.join(checkout, 'node_modules'))) {
    if (!name.startsWith('.'))
      await symlink(path.join(checkout, 'node_modules', name), path.join(modules, name));
  }
}

test('the published package runs where another project has installed it', async () => {
  await using dir = await tempDir();
  const modules = dir.join('project/node_modules');
  const installed = path.join(modules, 'capstan');
  await mkdir(installed, { recursive: true });
  await mkdir(path.join(modules, '.bin'));

  await run('npm', ['pack', '--loglevel=error', '--pack-destination', dir.path], { cwd: checkout });
  const archive = (await readdir(dir.path)).find((name) => name.endsWith('.tgz'));
  await run('tar', ['-xzf', dir.join(archive ?? 'none'), '--strip-components=1', '-C', installed]);
  await linkDependencies(modules);
  await symlink('../capstan/bin/capstan.js', path.join(modules, '.bin/capstan'));

  const { version } = JSON.parse(await readFile(path.join(checkout, 'package.json'), 'utf8')) as {
    version: string;
  };
  const { stdout } = await run('npx', ['--no-install', 'capstan', '--version'], { cwd: dir.join('project') });
  expect(stdout).toBe(`${version}\n`);

  const files = await readdir(installed, { recursive: true });
  expect(files).toEqual(
    expect.arrayContaining(['LICENSE', 'bin/capstan.js', 'bin/start.js', 'dist/main.js', 'package.json']),
  );
  expect(files.filter((file) => /\.ts$|\.test\.|^(?:src|test|scripts)\b/.test(file))).toEqual([]);
});
