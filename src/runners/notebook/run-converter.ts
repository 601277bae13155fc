import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { AppError, hasErrno } from '../../runtime/app-error.ts';
import type { Containment } from '../../supervisor/contain.ts';
import { jailed, type Jail } from '../../supervisor/jail.ts';
import { runTool } from '../run-tool.ts';
import type { FoundJupyter } from './find-jupyter.ts';

export interface ConverterOptions {
  readonly jupyter: FoundJupyter;
  readonly commandPath: string;
  readonly containment: Containment;
  readonly jail: Jail;
}

/** What `convert.py` is told, in its words. */
export interface ConverterTask {
  readonly notebook: string;
  /** What the page is called. */
  readonly name: string;
  /** Where the cells run, inside the workspace. */
  readonly folder: string;
  readonly formats: readonly string[];
  readonly execute: boolean;
  readonly kernel: string | null;
  readonly cellTimeoutMs: number;
  readonly maxOutputBytes: number;
}

export interface ConverterPlaces {
  readonly workspace: string;
  readonly home: string;
  readonly tmp: string;
  /** A new folder for what is made, inside `home`. */
  readonly out: string;
  readonly network: boolean;
  /** `NAME=value`, by which leftovers are found where there is no PID namespace. */
  readonly marker: { readonly name: string; readonly value: string };
}

const resultSchema = z.discriminatedUnion('ok', [
  z.object({
    ok: z.literal(true),
    outputs: z.array(z.object({ format: z.string(), file: z.string(), extension: z.string() })),
  }),
  z.object({ ok: z.literal(false), code: z.string(), message: z.string(), cell: z.number().nullable() }),
]);
export type ConverterResult = z.infer<typeof resultSchema>;

const longestRunMs = 24 * 3_600_000;

/** Runs one conversion in a process of its own, with the kernel below it; both are gone when this settles. */
export async function runConverter(
  options: ConverterOptions,
  {
    task,
    places,
    signal,
  }: { readonly task: ConverterTask; readonly places: ConverterPlaces; readonly signal: AbortSignal },
): Promise<ConverterResult> {
  const { jupyter, commandPath, jail } = options;
  const { workspace, home, tmp, out, network, marker } = places;
  await mkdir(out, { mode: 0o700 });
  const taskFile = join(out, 'task.json');
  const ipc = jail.kind === 'namespaces' && !network;
  await writeFile(taskFile, JSON.stringify({ ...task, ipc }));
  const script = await readFile(new URL('convert.py', import.meta.url), 'utf8');
  const spec = await jailed(
    {
      command: jupyter.python,
      args: ['-I', '-c', script, taskFile],
      env: {
        PATH: commandPath,
        HOME: home,
        TMPDIR: tmp,
        LANG: 'C.UTF-8',
        PYTHONHASHSEED: '0',
        PYTHONDONTWRITEBYTECODE: '1',
        PYDEVD_DISABLE_FILE_VALIDATION: '1',
        IPYTHONDIR: join(home, 'ipython'),
        MPLCONFIGDIR: join(home, 'matplotlib'),
        MPLBACKEND: 'module://matplotlib_inline.backend_inline',
        // A socket's path must be short, and a job's folders may lie deep.
        JUPYTER_RUNTIME_DIR: jail.kind === 'namespaces' ? '/tmp/jupyter' : join(home, 'runtime'),
        [marker.name]: marker.value,
      },
      cwd: task.folder,
    },
    {
      folders: [
        ...jupyter.folders.map((path) => ({ path, access: 'read' as const })),
        ...[workspace, home].map((path) => ({ path, access: 'write' as const })),
      ],
      network: network ? 'open' : 'none',
    },
    jail,
  );
  const { command, args, env, cwd } = spec;
  const { PATH: path = commandPath, ...rest } = env;
  const { containment } = options;
  const ended = await runTool({
    command,
    args,
    path,
    env: rest,
    cwd,
    containment,
    limitMs: longestRunMs,
    signal,
  });
  const answer = await readFile(join(out, 'result.json'), 'utf8').catch((error: unknown) => {
    if (hasErrno(error, 'ENOENT')) throw converterDied(ended.output);
    throw error;
  });
  return resultSchema.parse(JSON.parse(answer));
}

function converterDied(output: string): AppError {
  return new AppError('infrastructure', 'converter_died', 'Jupyter ended without an answer.', {
    hint: `It may have run out of memory. It said last: ${output.trim().slice(-500)}`,
  });
}
