import { spawn } from 'node:child_process';
import { cp, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import { tempDir } from './temp-dir.ts';

const checkout = path.join(import.meta.dirname, '../..');

/** Two rooms and the command: the least that all checks pass. */
const files: Readonly<Record<string, string>> = {
  'src/main.ts': "import { openStore } from './store/store.ts';\n\nawait openStore();\n",
  'src/store/store.ts':
    "import { double } from '../domain/double.ts';\n\nexport async function openStore(): Promise<number> {\n  return double(21);\n}\n",
  'src/domain/double.ts': 'export function double(value: number): number {\n  return value * 2;\n}\n',
};

const isConfiguration =
  /^(?:\.dependency-cruiser\.cjs|\.prettier.*|\.gitignore|eslint\.config\.js|knip\.json|tsconfig.*\.json)$/;

const usedInHouse = new Set(
  '@eslint/js @types/node dependency-cruiser eslint knip node prettier typescript typescript-eslint vitest'.split(
    ' ',
  ),
);
const manifestSchema = z.looseObject({ devDependencies: z.record(z.string(), z.string()) });

export interface Planted {
  readonly file: string;
  readonly text: string;
}

/** A small project under the checkout's own rules, in which a fault can be planted without touching the checkout. */
export interface House extends AsyncDisposable {
  /** Appends each text to its file, made where it is not there; disposing puts everything back. */
  plant(planted: readonly Planted[]): Promise<AsyncDisposable>;
  /** Runs `scripts/check.ts`, all checks where none is named. */
  check(...names: readonly string[]): Promise<{ readonly code: number | null; readonly output: string }>;
}

export async function makeHouse(): Promise<House> {
  const dir = await tempDir();
  for (const name of await readdir(checkout)) {
    if (isConfiguration.test(name)) await cp(path.join(checkout, name), dir.join(name));
  }
  await cp(path.join(checkout, 'bin'), dir.join('bin'), { recursive: true });
  for (const name of ['check.ts', 'check-boundaries.ts']) {
    await cp(path.join(checkout, 'scripts', name), dir.join('scripts', name));
  }
  await linkModules(path.join(checkout, 'node_modules'), dir.join('node_modules'));
  await writeFile(dir.join('package.json'), await houseManifest());
  for (const [file, content] of Object.entries(files)) await write(dir.join(file), content);

  return {
    plant: async (planted) => {
      const before = await Promise.all(
        planted.map(
          async ({ file }) => [file, await readFile(dir.join(file), 'utf8').catch(() => null)] as const,
        ),
      );
      const contents = new Map(before);
      for (const { file, text: added } of planted)
        await write(dir.join(file), (contents.get(file) ?? '') + added);
      return {
        async [Symbol.asyncDispose]() {
          for (const [file, content] of before) {
            if (content === null) await rm(dir.join(file));
            else await write(dir.join(file), content);
          }
        },
      };
    },
    check: async (...names) => {
      const child = spawn(process.execPath, ['scripts/check.ts', ...names], { cwd: dir.path });
      const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
      const [code, out, err] = await Promise.all([ended, text(child.stdout), text(child.stderr)]);
      return { code, output: out + err };
    },
    [Symbol.asyncDispose]: () => dir[Symbol.asyncDispose](),
  };
}

/** One link a package: a link to the whole folder would share the caches in it. */
async function linkModules(from: string, to: string): Promise<void> {
  await mkdir(to);
  for (const name of await readdir(from)) {
    if (name !== '.cache') await symlink(path.join(from, name), path.join(to, name));
  }
}

/** The checkout's, less the packages that nothing in the house imports. */
async function houseManifest(): Promise<string> {
  const manifest = manifestSchema.parse(
    JSON.parse(await readFile(path.join(checkout, 'package.json'), 'utf8')),
  );
  const tools = Object.entries(manifest.devDependencies).filter(([name]) => usedInHouse.has(name));
  const house = { ...manifest, dependencies: {}, devDependencies: Object.fromEntries(tools) };
  return `${JSON.stringify(house, null, 2)}\n`;
}

async function write(file: string, content: string): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, content);
}
