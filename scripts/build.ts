/** Compiles src/ to dist/ for the published package: Node strips no types under node_modules. */
import { spawnSync } from 'node:child_process';
import { cpSync, globSync, rmSync } from 'node:fs';
import path from 'node:path';

rmSync('dist', { recursive: true, force: true });
const { status } = spawnSync(
  process.execPath,
  ['node_modules/typescript/bin/tsc', '--project', 'tsconfig.build.json'],
  { stdio: 'inherit' },
);
// What the compiler does not know goes along as it is.
for (const file of globSync('src/**/*.{json,sql,html,css,toml,py,page.js}')) {
  cpSync(file, path.join('dist', path.relative('src', file)), { recursive: true });
}
process.exitCode = status ?? 1;
