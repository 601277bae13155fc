import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { DrawioJobInput } from '../../contract/drawio-job.ts';
import { AppError } from '../../runtime/app-error.ts';
import { createBrowser, type Browser, type BrowserOptions } from '../browser/browser.ts';
import type { DocumentTool, DocumentWork, Output } from '../document/document-tool.ts';
import { readText } from '../document/read-text.ts';
import { drawPage, listPages, type DrawnPage } from './draw-page.ts';
import type { DrawioApp } from './find-drawio.ts';
import { drawioIntake, pageTitle, pageTarget, uniquePaths, type DrawioLimits } from './drawio-files.ts';

export type DrawioToolOptions = Omit<BrowserOptions, 'chromium' | 'folders'> & {
  readonly drawio: DrawioApp;
};

/** draw.io as a document tool: its own export page in one Chromium kept warm, a page of the browser for each job. */
export async function createDrawioTool(
  options: DrawioToolOptions,
  limits: DrawioLimits,
): Promise<DocumentTool<DrawioJobInput>> {
  const { drawio } = options;
  const browser = await createBrowser({ ...options, chromium: drawio.chromium, folders: drawio.folders });
  const limitMs = limits.drawioTimeoutMs;
  const script = await readFile(new URL('export.page.js', import.meta.url), 'utf8');
  const url = pathToFileURL(join(drawio.app, 'export3.html')).href;
  return {
    ...drawioIntake(limits),
    start: (signal) => browser.start(signal),
    open: async (work) => ({
      convert: (file) => drawFile({ browser, url, script, limitMs }, work, file),
      [Symbol.asyncDispose]: async () => undefined,
    }),
    [Symbol.asyncDispose]: () => browser[Symbol.asyncDispose](),
  };
}

interface Tool {
  readonly browser: Browser;
  /** The program's page, and what is added to it. */
  readonly url: string;
  readonly script: string;
  readonly limitMs: number;
}

/** A page of its own for each file: what one leaves in it does not reach the next. */
async function drawFile(
  { browser, url, script, limitMs }: Tool,
  { input, folders, signal, warn }: DocumentWork<DrawioJobInput>,
  file: string,
): Promise<readonly Output[]> {
  const xml = readText(file, await readFile(join(folders.source, file)));
  try {
    await using page = await browser.openPage({ signal, limitMs });
    await page.open(url);
    await page.evaluate(script);
    const names = await listPages(page, xml);
    const outputs: Output[] = [];
    for (const [index, name] of names.entries()) {
      for (const format of input.formats) {
        const drawn = await drawPage(page, { xml, page: index, format, scale: input.scale });
        const title = pageTitle(name, index);
        note(warn, `${file}, ${title}`, drawn);
        const path = pageTarget(file, names.length === 1 ? null : title, format);
        outputs.push({ path, content: drawn.image });
      }
    }
    return uniquePaths(outputs);
  } catch (error) {
    throw inWordsOf(file, error, { browser, signal });
  }
}

function note(warn: (message: string) => void, where: string, { empty, missing }: DrawnPage): void {
  if (empty) warn(`${where} is empty.`);
  if (missing.length > 0) warn(`${where}: these images could not be had: ${missing.slice(0, 3).join(', ')}`);
}

function inWordsOf(
  file: string,
  error: unknown,
  { browser, signal }: { readonly browser: Browser; readonly signal: AbortSignal },
): unknown {
  const stuck = error instanceof AppError && error.kind === 'timeout';
  // A page that does not answer holds its browser for ever.
  if (stuck || signal.aborted) browser.replace();
  if (signal.aborted || !(error instanceof AppError)) return error;
  if (stuck) {
    return new AppError('timeout', 'drawing_timeout', `${file} was not drawn in time.`, {
      hint: 'Draw less in one file.',
      cause: error,
    });
  }
  if (error.code === 'drawing_too_large') {
    const { kind, code, message, hint } = error;
    return new AppError(kind, code, `${file}: ${message}`, { hint, cause: error });
  }
  if (error.code !== 'page_failed') return error;
  return new AppError('user', 'drawing_invalid', `${file} cannot be drawn: ${error.message}`, {
    hint: 'Open it in draw.io and save it again.',
    cause: error,
  });
}
