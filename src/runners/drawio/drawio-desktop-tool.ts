import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DrawioFormat, DrawioJobInput } from '../../contract/drawio-job.ts';
import { removeTree } from '../../artifacts/remove-tree.ts';
import { AppError } from '../../runtime/app-error.ts';
import { newId } from '../../runtime/ids.ts';
import type { Containment } from '../../supervisor/contain.ts';
import { jailed, type Jail } from '../../supervisor/jail.ts';
import type { DocumentTool, DocumentWork, Output } from '../document/document-tool.ts';
import { readText } from '../document/read-text.ts';
import { runTool, type ToolOutput } from '../run-tool.ts';
import { drawioIntake, pageTitle, pageTarget, uniquePaths, type DrawioLimits } from './drawio-files.ts';
import { desktopCommand, type DrawioDesktop } from './find-drawio.ts';
import { pageNames } from './page-names.ts';

export interface DrawioDesktopOptions {
  readonly drawio: DrawioDesktop;
  readonly commandPath: string;
  readonly containment: Containment;
  readonly jail: Jail;
  readonly scratchDir: string;
}

/** The desktop program of draw.io as a document tool: started without a screen for each page and format. */
export function createDrawioDesktopTool(
  options: DrawioDesktopOptions,
  limits: DrawioLimits,
): DocumentTool<DrawioJobInput> {
  return {
    ...drawioIntake(limits),
    start: () => Promise.resolve(),
    open: (work) =>
      Promise.resolve({
        convert: (file: string) => drawFile({ options, limitMs: limits.drawioTimeoutMs }, work, file),
        [Symbol.asyncDispose]: () => Promise.resolve(),
      }),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

interface Tool {
  readonly options: DrawioDesktopOptions;
  readonly limitMs: number;
}

async function drawFile(
  tool: Tool,
  { input, folders, signal }: DocumentWork<DrawioJobInput>,
  file: string,
): Promise<readonly Output[]> {
  const xml = readText(file, await readFile(join(folders.source, file)));
  const names = pageNames(file, xml);
  const room = join(tool.options.scratchDir, `drawio-${newId()}`);
  await mkdir(room, { mode: 0o700 });
  try {
    // A name of ours: theirs could look like an option.
    await writeFile(join(room, 'in.drawio'), xml);
    const outputs: Output[] = [];
    for (const [page, name] of names.entries()) {
      const title = pageTitle(name, page);
      for (const format of input.formats) {
        const where = `${file}, ${title}`;
        const content = await drawPage(tool, { room, page, format, scale: input.scale, where, signal });
        outputs.push({ path: pageTarget(file, names.length === 1 ? null : title, format), content });
      }
    }
    return uniquePaths(outputs);
  } finally {
    await removeTree(room);
  }
}

interface PageWork {
  readonly room: string;
  readonly page: number;
  readonly format: DrawioFormat;
  readonly scale: number;
  /** The file and the page, for messages. */
  readonly where: string;
  readonly signal: AbortSignal;
}

async function drawPage({ options, limitMs }: Tool, work: PageWork): Promise<Buffer> {
  const { drawio, commandPath, containment, jail } = options;
  const { room, page, format, scale, where, signal } = work;
  const out = join(room, `out.${format}`);
  const index = ['--page-index', String(page + drawio.firstPage)];
  const wanted = ['--export', '--format', format, ...index, '--scale', String(scale), '--output', out];
  const spec = await jailed(
    {
      ...desktopCommand(drawio, [...wanted, join(room, 'in.drawio')]),
      env: { PATH: commandPath, HOME: room, XDG_CONFIG_HOME: join(room, 'config'), LANG: 'C.UTF-8' },
      cwd: room,
    },
    {
      folders: [
        { path: room, access: 'write' },
        ...drawio.folders.map((path) => ({ path, access: 'read' as const })),
      ],
      network: 'none',
    },
    jail,
  );
  const { PATH: path = commandPath, ...env } = spec.env;
  const ended = await runTool({ ...spec, path, env, containment, limitMs, signal }).catch(
    (error: unknown) => {
      const slow = error instanceof AppError && error.code === 'tool_timeout';
      throw slow ? tooSlow(where, error) : error;
    },
  );
  const image = await readFile(out).catch(() => null);
  await removeTree(out);
  // It may say that it failed and exit 0, or leave half a file.
  if (ended.code !== 0 || image === null || !isWhole(format, image)) throw notDrawn(where, ended);
  return image;
}

function isWhole(format: DrawioFormat, image: Buffer): boolean {
  return format === 'svg'
    ? image.includes('<svg') && /<\/svg>\s*$/.test(image.subarray(-100).toString('latin1'))
    : image.subarray(1, 4).toString('latin1') === 'PNG' && image.subarray(-8).includes('IEND');
}

function tooSlow(where: string, cause: unknown): AppError {
  return new AppError('timeout', 'drawing_timeout', `${where} was not drawn in time.`, {
    hint: 'Draw less on one page, or give it more time with tools.drawio_timeout.',
    cause,
  });
}

function notDrawn(where: string, { code, output }: ToolOutput): AppError {
  const said = output.trim().slice(-300) || 'it said nothing';
  if (code === null) {
    return new AppError('infrastructure', 'drawio_died', `draw.io ended while it drew ${where}: ${said}`, {
      hint: 'It is started again. Where it happens each time, the page needs more memory than there is.',
    });
  }
  return new AppError('user', 'drawing_invalid', `${where} cannot be drawn: ${said}`, {
    hint: 'Open it in draw.io and save it again.',
  });
}
