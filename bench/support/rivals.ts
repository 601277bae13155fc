import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

const bench = path.join(import.meta.dirname, '..');

/** Installs what the benches compare with into bench/node_modules, unless it is there in the versions that are pinned. */
export function installRivals(say: (text: string) => void): void {
  const { dependencies } = JSON.parse(readFileSync(path.join(bench, 'package.json'), 'utf8')) as {
    dependencies: Readonly<Record<string, string>>;
  };
  const there = Object.entries(dependencies).every(([name, version]) => installed(name) === version);
  if (there) return;
  say('installing the rivals into bench/node_modules');
  const { status, stderr } = spawnSync('npm', ['ci', '--prefix', bench, '--no-audit', '--no-fund'], {
    encoding: 'utf8',
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  if (status !== 0) throw new Error(`npm could not install the rivals:\n${stderr}`);
}

function installed(name: string): string | null {
  const file = path.join(bench, 'node_modules', name, 'package.json');
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version : null;
}

export function rivalVersion(name: string): string {
  return installed(name) ?? 'missing';
}
