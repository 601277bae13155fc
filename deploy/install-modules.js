/**
 * `node install-modules.js NAME…`: installs beside itself, at the versions of the lock file, those of the packages that package.json names,
 * and nothing else. `dependencies` as a name stands for all that the published package needs.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const folder = import.meta.dirname;
const manifest = path.join(folder, 'package.json');
const { dependencies, devDependencies } = JSON.parse(readFileSync(manifest, 'utf8'));
const versions = { ...dependencies, ...devDependencies };
const names = process.argv
  .slice(2)
  .flatMap((name) => (name === 'dependencies' ? Object.keys(dependencies) : [name]));
const wanted = Object.fromEntries(names.map((name) => [name, versions[name]]));
writeFileSync(manifest, JSON.stringify({ private: true, type: 'module', dependencies: wanted }));

const cache = path.join(tmpdir(), 'npm-cache');
const quiet = ['--no-audit', '--no-fund', '--no-update-notifier', '--loglevel=error', '--logs-max=0'];
const { status } = spawnSync('npm', ['install', '--ignore-scripts', `--cache=${cache}`, ...quiet], {
  cwd: folder,
  stdio: ['ignore', 'ignore', 'inherit'],
});
rmSync(cache, { recursive: true, force: true });
process.exitCode = status ?? 1;
