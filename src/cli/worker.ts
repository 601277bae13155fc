import { hostname } from 'node:os';
import { Option } from 'commander';
import { z } from 'zod';
import type { BuildId } from '../domain/ids.ts';
import type { ContainerIdentity } from '../domain/worker.ts';
import { AppError, toFailure } from '../runtime/app-error.ts';
import { startWorker } from '../service/workers/start-worker.ts';
import { knownTypes } from '../service/types/known-types.ts';
import type { WorkerTypes } from '../service/types/worker-type.ts';
import type { Action, CliCommand } from './command.ts';
import { exitCodes } from './context.ts';
import { openFromCli } from './open.ts';
import { countOption } from './options.ts';
import { printJson } from './print-json.ts';
import { readSecrets } from './read-secrets.ts';

export const workerCommand: CliCommand = {
  define(command, act) {
    command
      .addOption(
        new Option('--type <type>', `what it works on: ${[...knownTypes.keys()].join(', ')}`).default(
          'codex',
        ),
      )
      .addOption(
        new Option('--concurrency <count>', 'jobs at once, instead of worker.concurrency').argParser(
          countOption,
        ),
      )
      .option('--json', 'one JSON object on stdout once it takes jobs: {"type":"worker.ready","workerId"}')
      .addOption(new Option('--name <name>', 'what its launcher calls it').hideHelp())
      .addOption(new Option('--build <id>', 'serve this build alone').hideHelp())
      .addOption(
        new Option('--mode <mode>', 'how it was launched')
          .choices(['direct', 'docker'])
          .default('direct')
          .hideHelp(),
      )
      .addOption(new Option('--engine <id>', 'the engine whose container this is').hideHelp())
      .addOption(new Option('--image-id <id>', 'the image of this container').hideHelp())
      .addOption(new Option('--secrets', 'keys come first on stdin, as one line of JSON').hideHelp())
      .addOption(new Option('--parent-pipe', 'stop when stdin ends: whoever started it is gone').hideHelp())
      .action(act(work));
  },
};

const optionsSchema = z.object({
  type: z.string(),
  concurrency: z.number().optional(),
  name: z.string().optional(),
  build: z.string().optional(),
  mode: z.enum(['direct', 'docker']),
  engine: z.string().optional(),
  imageId: z.string().optional(),
  json: z.boolean().default(false),
  parentPipe: z.boolean().default(false),
  secrets: z.boolean().default(false),
});

/** Serves until it is told to stop, then drains: exit 0, as this is how a worker ends. */
const work: Action = async (context, _args, raw) => {
  const options = optionsSchema.parse(raw);
  const tells = options.json || options.parentPipe;
  const { concurrency: _concurrency, type: _type, ...settings } = raw;
  const stop = new AbortController();
  const onInterrupted = (): void => {
    stop.abort(String(context.interrupted.reason));
  };
  if (context.interrupted.aborted) onInterrupted();
  context.interrupted.addEventListener('abort', onInterrupted, { once: true });
  try {
    const handed = options.secrets ? await readSecrets(context.stdin, stop.signal) : {};
    await using capstan = await openFromCli(context, settings, {
      quiet: false,
      contained: options.mode === 'docker',
      handed,
    });
    if (options.parentPipe) {
      context.stdin.resume();
      context.stdin.once('end', () => {
        stop.abort('whoever started it has let go of it');
      });
    }
    const worker = await startWorker(
      capstan,
      {
        type: findType(context.workerTypes ?? knownTypes, options.type),
        name: options.name ?? null,
        buildId: (options.build ?? null) as BuildId | null,
        mode: options.mode,
        container: options.mode === 'docker' ? thisContainer(options.engine ?? null) : null,
        imageId: options.imageId ?? null,
        concurrency: options.concurrency,
      },
      { drain: stop.signal },
    );
    if (tells) printJson(context.stdout, { type: 'worker.ready', workerId: worker.id });
    await worker.stopped;
    return exitCodes.ok;
  } catch (error) {
    // Told to stop before it was ready: there is nothing to drain.
    if (stop.signal.aborted && error === stop.signal.reason) return exitCodes.ok;
    if (tells) printJson(context.stdout, { type: 'worker.failed', failure: toFailure(error) });
    throw error;
  } finally {
    // A stdin that nobody ends would keep the process.
    context.stdin.pause();
  }
};

/** An engine names a container's host after the container, unless it is told another name. */
function thisContainer(engineId: string | null): ContainerIdentity | null {
  const id = hostname();
  return /^[0-9a-f]{12}$/.test(id) ? { id, engineId } : null;
}

function findType(types: WorkerTypes, name: string) {
  const type = types.get(name);
  if (type !== undefined) return type;
  throw new AppError('user', 'unknown_worker_type', `There is no worker type '${name}'.`, {
    hint: `There are: ${[...types.keys()].join(', ')}.`,
  });
}
