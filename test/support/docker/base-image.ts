import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { copyFile, cp, mkdir, readFile, realpath, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { tempDir } from '../temp-dir.ts';
import { docker, dockerSays } from './docker.ts';
import { dockerEngine } from './engine.ts';
import { oneAtATime } from './one-at-a-time.ts';

const run = promisify(execFile);
const suite = 'bookworm';
const published = `node:24-${suite}-slim`;
const debootstrap = '/usr/sbin/debootstrap';
const authorities = '/etc/ssl/certs/ca-certificates.crt';
/** Where no package of the image would replace it. */
const trusted = '/usr/local/share/authorities.crt';

/** Debian, set as the published images are: no documentation, and no waiting for the disk. */
const makeDebian = `
set -eu
"$DEBOOTSTRAP" --variant=minbase ${suite} "$1"
rm -rf "$1"/var/cache/apt/* "$1"/var/lib/apt/lists/* "$1"/var/log/*.log
printf 'force-unsafe-io\\n' >"$1"/etc/dpkg/dpkg.cfg.d/image
printf 'path-exclude %s\\n' '/usr/share/doc/*' '/usr/share/man/*' '/usr/share/locale/*' >>"$1"/etc/dpkg/dpkg.cfg.d/image
tar -C "$1" -c . | docker import - "$2"
`;
const debian = `capstan-test-debian:${suite}-${shortHash(makeDebian)}`;

/** With this checkout's Node and this machine's npm, which trusts whom the machine trusts: its registry may be a mirror. */
const recipe = `FROM ${debian}
COPY node /usr/local/bin/
COPY npm /usr/local/lib/node_modules/npm/
COPY authorities.crt ${trusted}
RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm
ENV NODE_EXTRA_CA_CERTS=${trusted}
`;

let made: Promise<string> | undefined;

/**
 * The image that worker images are built on, by its tag: made from Debian's packages, as no registry may be in reach; the published one
 * where this machine cannot make it.
 */
export function baseImage(): Promise<string> {
  made ??= process.getuid?.() === 0 && existsSync(debootstrap) ? makeBase() : Promise.resolve(published);
  return made;
}

async function makeBase(): Promise<string> {
  await dockerEngine();
  const npm = await findNpm();
  const known = await readFile(authorities).catch(() => Buffer.alloc(0));
  const { version } = z
    .object({ version: z.string() })
    .parse(JSON.parse(await readFile(path.join(npm, 'package.json'), 'utf8')));
  const tag = `capstan-test-base:${suite}-${shortHash(recipe, process.version, version, known)}`;
  return oneAtATime('base-image', async () => {
    if (await dockerSays('image', 'inspect', tag)) return tag;
    if (!(await dockerSays('image', 'inspect', debian))) await importDebian();
    await using context = await tempDir();
    await mkdir(context.join('npm'));
    await Promise.all([
      copyFile(process.execPath, context.join('node')),
      cp(npm, context.join('npm'), { recursive: true }),
      writeFile(context.join('authorities.crt'), known),
      writeFile(context.join('Dockerfile'), recipe),
    ]);
    await docker('build', '--quiet', '--tag', tag, context.path);
    return tag;
  });
}

async function importDebian(): Promise<void> {
  await using dir = await tempDir();
  const options = { maxBuffer: 16 * 1024 * 1024, env: { ...process.env, DEBOOTSTRAP: debootstrap } };
  await run('sh', ['-c', makeDebian, 'make', dir.join('root'), debian], options);
}

/** The folder of npm's package: `npm root --global` would name that of the Node which runs it. */
async function findNpm(): Promise<string> {
  const { stdout } = await run('sh', ['-c', 'command -v npm']);
  return path.join(await realpath(stdout.trim()), '../..');
}

function shortHash(...parts: readonly (string | Buffer)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part).update('\0');
  return hash.digest('hex').slice(0, 12);
}
