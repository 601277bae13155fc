import { open } from 'node:fs/promises';
import { z } from 'zod';
import { AppError } from '../../runtime/app-error.ts';
import { findProgram, findTool, packageFolders, type ToolPlaces } from '../find-program.ts';
import { runTool } from '../run-tool.ts';

export interface FoundJupyter {
  readonly python: string;
  /** Of nbconvert. */
  readonly version: string;
  /** What pages look like changes with it. */
  readonly name: string;
  /** Where Python and its packages lie, so far as that is not with the system's programs. */
  readonly folders: readonly string[];
  /** Whether cells can be run. */
  readonly kernel: boolean;
}

const probe = `
import importlib.util, json, sys
import nbconvert, nbclient, nbformat
print("found:" + json.dumps({"version": nbconvert.__version__, "prefixes": sorted({sys.prefix, sys.base_prefix}),
  "kernel": importlib.util.find_spec("ipykernel") is not None}))
`;
const probeSchema = z.object({ version: z.string(), prefixes: z.array(z.string()), kernel: z.boolean() });
const probeLimitMs = 30_000;

/** The Python that has nbconvert. Throws `jupyter_missing`, kind configuration, naming the package that brings it. */
export async function findJupyter(places: ToolPlaces, signal: AbortSignal): Promise<FoundJupyter> {
  const { path } = places;
  const isSet = (places.jupyter ?? null) !== null;
  const command = await findTool(places, 'jupyter', 'jupyter-nbconvert');
  const script = command === null ? null : await interpreterOf(command);
  // What is set may be the interpreter itself; nothing else is tried then.
  const candidates = isSet ? [script ?? command] : [script, await findProgram('python3', path)];
  let said = isSet ? 'tools.jupyter is no Python' : 'jupyter-nbconvert is not on PATH';
  for (const python of candidates) {
    if (python === null) continue;
    const { code, output } = await runTool({
      command: python,
      args: ['-I', '-c', probe],
      path,
      limitMs: probeLimitMs,
      signal,
    });
    const found = /^found:(.*)$/m.exec(output)?.[1];
    if (code === 0 && found !== undefined) {
      const { version, prefixes, kernel } = probeSchema.parse(JSON.parse(found));
      return {
        python,
        version,
        name: `nbconvert ${version}`,
        kernel,
        folders: [
          ...prefixes.filter((prefix) => !/^\/usr(?:\/|$)/.test(prefix)),
          ...(await packageFolders(python)),
        ],
      };
    }
    said = output.trim().split('\n').at(-1) ?? said;
  }
  throw new AppError('configuration', 'jupyter_missing', `Jupyter's nbconvert is not installed: ${said}.`, {
    hint: isSet
      ? `tools.jupyter is ${places.jupyter ?? ''}: correct it, or leave it out for the one that is installed.`
      : 'Install it: apt-get install jupyter-nbconvert python3-ipykernel',
  });
}

/** There is nothing that could run cells. */
export function kernelMissing(): AppError {
  return new AppError('configuration', 'kernel_missing', 'The Python kernel of Jupyter is not installed.', {
    hint: 'Install it: apt-get install python3-ipykernel. Without it notebooks are converted, but not run.',
  });
}

/** The program that a script's first line names. */
async function interpreterOf(script: string): Promise<string | null> {
  await using file = await open(script, 'r');
  const { bytesRead, buffer } = await file.read(Buffer.alloc(512), 0, 512, 0);
  const line = /^#!\s*(\S+)/.exec(buffer.subarray(0, bytesRead).toString('latin1'))?.[1];
  return line === undefined || line.endsWith('/env') ? null : line;
}
