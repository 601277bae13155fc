import { existsSync } from 'node:fs';
import module from 'node:module';
import { homedir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
// Node strips no types under node_modules: the published package carries compiled files, a checkout its sources.
const source = path.join(root, 'src/main.ts');
const inCheckout = existsSync(source);

// A folder of our own: Node's default lies under the shared temporary folder.
module.enableCompileCache(
  inCheckout
    ? path.join(root, 'node_modules/.cache/capstan')
    : path.join(process.env.XDG_CACHE_HOME || path.join(homedir(), '.cache'), 'capstan/compiled'),
);

if (inCheckout) await import('../src/main.ts');
else await import('../dist/main.js');
