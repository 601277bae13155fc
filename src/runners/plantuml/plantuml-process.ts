import { copyFile, mkdir, rename, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '../../domain/logger.ts';
import type { PlantumlFormat } from '../../contract/plantuml-job.ts';
import { AppError } from '../../runtime/app-error.ts';
import { newId } from '../../runtime/ids.ts';
import { deferred, within, type Deferred } from '../../runtime/wait.ts';
import type { Child, ChildSpec } from '../../supervisor/child.ts';
import type { Containment } from '../../supervisor/contain.ts';
import { jailed, type Jail } from '../../supervisor/jail.ts';
import { createSupervisor } from '../../supervisor/supervisor.ts';
import { watchEarlyExits } from '../early-exits.ts';
import { createAnswerReader } from './answer-reader.ts';
import type { FoundPlantuml } from './find-plantuml.ts';

export interface PlantumlProcessOptions {
  readonly plantuml: FoundPlantuml;
  readonly commandPath: string;
  readonly containment: Containment;
  readonly jail: Jail;
  /** Exists; all that a diagram can include lies in `stageDir`. */
  readonly scratchDir: string;
  readonly logger: Logger;
}

export interface DrawRequest {
  readonly text: string;
  readonly format: PlantumlFormat;
  /** The folder that relative includes start from, inside `stageDir`. */
  readonly folder: string;
  readonly limitMs: number;
  readonly signal: AbortSignal;
}

/** One JVM kept warm, which draws one diagram after the other. */
export interface PlantumlProcess extends AsyncDisposable {
  readonly stageDir: string;
  /** The command line of another JVM on the same files, which the jail does not hold yet. */
  command(args: readonly string[], cwd: string): ChildSpec;
  start(signal: AbortSignal): Promise<void>;
  /**
   * What the tool says to a diagram: an image, or text that begins with `ERROR`. Requests wait for each other. Rejects with
   * `diagram_timeout` (timeout), `output_too_large` (user), `plantuml_died` (infrastructure) or the signal's reason; the JVM is then
   * replaced.
   */
  draw(request: DrawRequest): Promise<Buffer>;
}

interface Pipe {
  ask(request: Pick<DrawRequest, 'text' | 'format'>): Promise<Buffer>;
}

const maxAnswerBytes = 128 * 1024 * 1024;
const readyLimitMs = 60_000;
const heapMb = 768;
/** Pixels: beyond it the tool cuts images off without a word. */
export const largestSide = 8_192;

/** Makes the process; it lives from `start` on until disposed. */
export async function createPlantumlProcess(given: PlantumlProcessOptions): Promise<PlantumlProcess> {
  const { containment, logger } = given;
  const stageDir = join(given.scratchDir, `plantuml-${newId()}`);
  await mkdir(stageDir, { mode: 0o700 });
  const options = await withOwnJar(given, stageDir);
  const here = join(stageDir, 'here');
  await mkdir(join(stageDir, 'nowhere'));
  await symlink('nowhere', here);
  const delimiter = `--${newId()}--`;
  const spec = await jailed(
    javaCommand(options, [...pipeArgs, delimiter], { stageDir, here }),
    { folders: visible(stageDir, options.plantuml), network: 'none' },
    options.jail,
  );
  const early = watchEarlyExits('PlantUML', 'Try it by hand: plantuml -version');
  const supervisor = createSupervisor<Pipe>(spec, {
    containment,
    startupTimeoutMs: readyLimitMs,
    graces: { stdinEndMs: 300, termMs: 1_500 },
    ready: async (child) => {
      const pipe = openPipe(child, delimiter);
      await pipe.ask({ text: '@startuml\na -> b\n@enduml', format: 'svg' });
      return pipe;
    },
    onStderrLine: (line) => {
      early.noteLine(line);
      logger.debug({ line }, 'PlantUML');
    },
    onEvent: (event) => {
      early.note(event);
      const { type, ...facts } = event;
      if (type === 'worker_exit') logger.info({ event: type, ...facts }, 'PlantUML ended');
      else logger.debug({ event: type, ...facts }, 'PlantUML');
    },
  });
  let before: Promise<unknown> = Promise.resolve();

  async function drawNow({ folder, limitMs, signal, ...request }: DrawRequest): Promise<Buffer> {
    const pipe = await supervisor.whenReady(signal, readyLimitMs);
    await symlink(folder, `${here}.new`);
    await rename(`${here}.new`, here);
    try {
      return await within(pipe.ask(request), limitMs, () => tooSlow(limitMs), signal);
    } catch (error) {
      // It may still be drawing, and the answer would be taken for the next one's.
      supervisor.recycle();
      throw error;
    }
  }

  return {
    stageDir,
    command: (args, cwd) => javaCommand(options, args, { stageDir, here: cwd }),
    async start(signal) {
      supervisor.start();
      await Promise.race([supervisor.whenReady(signal, readyLimitMs), early.tooMany]);
    },
    async draw(request) {
      const turn = before.then(async () => {
        request.signal.throwIfAborted();
        return drawNow(request);
      });
      before = turn.catch(() => undefined);
      return turn;
    },
    [Symbol.asyncDispose]: () => supervisor.stop(),
  };
}

interface Places {
  readonly stageDir: string;
  /** The working folder. */
  readonly here: string;
}

const pipeArgs = ['-pipe', '-pipenostderr', '-pipedelimitor'];

/** What the tool may see of this machine beside the system's programs. */
export function visible(
  stageDir: string,
  { folders }: FoundPlantuml,
): readonly { readonly path: string; readonly access: 'read' }[] {
  return [stageDir, ...folders].map((path) => ({ path, access: 'read' }));
}

/** A jar in somebody's home is shown to diagrams alone, and not the home. */
async function withOwnJar(
  options: PlantumlProcessOptions,
  stageDir: string,
): Promise<PlantumlProcessOptions> {
  const { plantuml } = options;
  if (plantuml.jar.startsWith('/usr/')) return options;
  const jar = join(stageDir, 'plantuml.jar');
  await copyFile(plantuml.jar, jar);
  return { ...options, plantuml: { ...plantuml, jar } };
}

/**
 * The working folder is a link that is pointed at each diagram's folder in turn: the JVM keeps the name and looks it up for each file.
 * The profile and the list of folders bind newer versions; the one of Debian 12 knows neither, so the jail is what holds.
 */
function javaCommand(
  options: PlantumlProcessOptions,
  args: readonly string[],
  { stageDir, here }: Places,
): ChildSpec {
  const { java, jar, dot } = options.plantuml;
  const properties = {
    'java.awt.headless': 'true',
    'user.dir': here,
    'user.home': stageDir,
    'plantuml.include.path': '',
    'plantuml.allowlist.path': stageDir,
    PLANTUML_LIMIT_SIZE: String(largestSide),
    PLANTUML_SECURITY_PROFILE: 'ALLOWLIST',
  };
  return {
    command: java,
    args: [
      `-Xmx${String(heapMb)}m`,
      '-XX:+UseSerialGC',
      '-XX:+ExitOnOutOfMemoryError',
      ...Object.entries(properties).map(([name, value]) => `-D${name}=${value}`),
      '-jar',
      jar,
      '-charset',
      'UTF-8',
      '-nometadata',
      ...args,
    ],
    env: {
      PATH: options.commandPath,
      HOME: stageDir,
      LANG: 'C.UTF-8',
      ...(dot === null ? {} : { GRAPHVIZ_DOT: dot }),
      PLANTUML_SECURITY_PROFILE: 'ALLOWLIST',
      'plantuml.allowlist.path': stageDir,
    },
    cwd: stageDir,
  };
}

/** Questions and answers over the child's pipes, one at a time. */
function openPipe(child: Child, delimiter: string): Pipe {
  let waiting: Deferred<Buffer> | null = null;
  const settle = (how: (waiter: Deferred<Buffer>) => void): void => {
    const waiter = waiting;
    waiting = null;
    if (waiter !== null) how(waiter);
  };
  const fail = (error: AppError): void => {
    settle(({ reject }) => {
      reject(error);
    });
  };
  const reader = createAnswerReader({
    delimiter,
    maxBytes: maxAnswerBytes,
    onAnswer: (answer) => {
      settle(({ resolve }) => {
        resolve(answer);
      });
    },
    onFault: fail,
  });
  child.onOutput((chunk) => {
    reader.push(chunk);
  });
  void child.exited.then(() => {
    fail(died(child.stderrTail()));
  });
  return {
    ask({ text, format }) {
      const waiter = deferred<Buffer>();
      // Whoever asked may have left by its limit before the answer, or the death, comes.
      waiter.promise.catch(() => undefined);
      waiting = waiter;
      child.stdin.write(`@@@format ${format}\n${text}\n`);
      return waiter.promise;
    },
  };
}

function tooSlow(limitMs: number): AppError {
  return new AppError(
    'timeout',
    'diagram_timeout',
    `PlantUML did not draw it within ${String(Math.round(limitMs / 1000))} s.`,
    { hint: 'Draw less in one diagram; look for a loop that does not end.' },
  );
}

function died(stderr: string): AppError {
  return new AppError('infrastructure', 'plantuml_died', 'PlantUML ended in the middle of a diagram.', {
    hint: 'It is started again. Where it happens each time, the diagram needs more memory than there is.',
    details: { stderr },
  });
}
