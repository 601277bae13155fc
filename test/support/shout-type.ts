import { appendFileSync, existsSync } from 'node:fs';
import { copyFile, cp, mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { removeTree } from '../../src/artifacts/remove-tree.ts';
import { emptyReport } from '../../src/domain/job.ts';
import type { Runner } from '../../src/domain/runner.ts';
import { createArtifactStorage } from '../../src/artifacts/artifact-storage.ts';
import { createArtifactNames } from '../../src/runners/document/artifact-name.ts';
import { AppError } from '../../src/runtime/app-error.ts';
import { pause } from '../../src/runtime/wait.ts';
import { documentBuildType } from '../../src/service/build/document-build-type.ts';
import type { JobType } from '../../src/service/types/job-types.ts';
import type { WorkerType } from '../../src/service/types/worker-type.ts';

const inputSchema = z.strictObject({
  source: z.union([z.strictObject({ file: z.string() }), z.strictObject({ dir: z.string() })]),
  files: z.array(z.string()).optional(),
  formats: z.array(z.string()),
  mark: z.string().optional(),
});

/**
 * Turns texts into capitals. A line `log PATH` of the input appends the worker's pid to that file when the job starts, `wait PATH`
 * goes on when that file is there, `take PATH` adds another file of its source, `warn TEXT` warns, `fail` fails the job, `crash` ends the worker, `name NAME` names the output.
 */
export const shoutType: WorkerType = {
  name: 'shout',
  jobTypes: ({ dataDir }) => new Map([['shout', shoutJobType(dataDir)]]),
  async createRunner({ config }, signal) {
    if (existsSync(path.join(config.dataDir, 'shout-hangs'))) await pause(600_000, signal);
    signal.throwIfAborted();
    if (existsSync(path.join(config.dataDir, 'shout-is-missing'))) {
      throw new AppError('configuration', 'shout_missing', 'The shout tool is not installed.', {
        hint: 'apt-get install shout',
      });
    }
    if (existsSync(path.join(config.dataDir, 'shout-crashes'))) process.kill(process.pid, 'SIGKILL');
    return { ...createShoutRunner(config.dataDir), tool: await shoutVersion(config.dataDir) };
  },
  build: documentBuildType({
    formats: ['txt', 'md'],
    defaultFormat: 'txt',
    options: { mark: z.string().optional() },
    async tool({ config }) {
      return { version: await shoutVersion(config.dataDir), witnesses: [versionFile(config.dataDir)] };
    },
    checkWorker({ config }) {
      if (!existsSync(path.join(config.dataDir, 'shout-is-locked'))) return;
      throw new AppError('configuration', 'shout_locked', 'The shout tool is locked.', {
        hint: 'Unlock it.',
      });
    },
  }),
};

const versionFile = (dataDir: string): string => path.join(dataDir, 'shout-version');

async function shoutVersion(dataDir: string): Promise<string> {
  const file = versionFile(dataDir);
  return `shout ${existsSync(file) ? (await readFile(file, 'utf8')).trim() : '1'}`;
}

function createShoutRunner(dataDir: string): Runner {
  const artifacts = createArtifactStorage(path.join(dataDir, 'artifacts'));
  return {
    type: 'shout',
    start: () => Promise.resolve(),
    async run({ job }, { signal }) {
      const { files = [], formats, mark = '' } = inputSchema.parse(job.input);
      const nameOf = createArtifactNames();
      const made = [];
      const warnings: string[] = [];
      for (const file of files) {
        const source = path.join(dataDir, 'jobs', job.id, 'source');
        let text = await readFile(path.join(source, file), 'utf8');
        let name = path.basename(file, path.extname(file));
        for (const line of text.split('\n')) {
          const [word, argument = ''] = line.split(' ');
          if (word === 'log') appendFileSync(argument, `${String(process.pid)}\n`);
          if (word === 'name') name = argument;
          if (word === 'warn') warnings.push(line.slice('warn '.length));
          if (word === 'take') text += await readFile(path.join(source, argument), 'utf8');
          if (word === 'wait')
            while (!existsSync(argument)) {
              signal.throwIfAborted();
              await pause(10, signal);
            }
          if (word === 'crash' && job.attempt < 2) process.kill(process.pid, 'SIGKILL');
          if (word === 'fail') {
            const failure = {
              kind: 'user',
              code: 'too_quiet',
              message: `${file} cannot be shouted.`,
              hint: 'Take out the word.',
            } as const;
            return { kind: 'failed', failure, report: emptyReport };
          }
        }
        for (const format of formats) {
          const output = `${name}.${format}`;
          const at = path.posix.join(path.posix.dirname(file), output);
          const stored = await artifacts.put(job.id, nameOf(at), Buffer.from(mark + text.toUpperCase()));
          made.push({ ...stored, path: at });
        }
      }
      return { kind: 'succeeded', report: { ...emptyReport, warnings, artifacts: made } };
    },
    discard: (job) => removeTree(path.join(dataDir, 'jobs', job.id)),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

function shoutJobType(dataDir: string): JobType {
  return {
    inputSchema,
    async prepare(id, raw) {
      const input = inputSchema.parse(raw);
      const target = path.join(dataDir, 'jobs', id, 'source');
      await mkdir(target, { recursive: true });
      if ('dir' in input.source) {
        await cp(input.source.dir, target, { recursive: true });
        return input;
      }
      await copyFile(input.source.file, path.join(target, path.basename(input.source.file)));
      return { ...input, files: [path.basename(input.source.file)] };
    },
    discard: (id) => removeTree(path.join(dataDir, 'jobs', id)),
  };
}
