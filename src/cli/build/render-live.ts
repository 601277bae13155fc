import { Listr, type ListrTaskWrapper, type DefaultRenderer, type SimpleRenderer } from 'listr2';
import type { BuildEvent } from '../../contract/build-event.ts';
import { deferred, type Deferred } from '../../runtime/wait.ts';
import type { Colors } from '../colors.ts';
import type { BuildView } from './build-view.ts';
import { describeType } from './describe-type.ts';

type Row = ListrTaskWrapper<unknown, typeof DefaultRenderer, typeof SimpleRenderer>;

interface Live {
  readonly id: string;
  readonly type: string;
  readonly tasks: number;
  readonly ended: Deferred<void>;
  row: Row | null;
  done: number;
  failed: number;
}

/** One line for each job of the manifest while it is made; what is said besides comes before and after. */
export function renderLive(lines: BuildView, colors: Colors): BuildView {
  let rows: readonly Live[] = [];
  let running: Promise<unknown> = Promise.resolve();
  const held: BuildEvent[] = [];
  let live = false;

  function start(event: BuildEvent & { readonly type: 'build.started' }): void {
    lines.onEvent(event);
    if (event.affected === 0) return;
    live = true;
    rows = event.jobs.map((job) => ({ ...job, ended: deferred<void>(), row: null, done: 0, failed: 0 }));
    const list = new Listr(
      rows.map((each) => ({
        title: each.id,
        task: async (_context: unknown, row: Row) => {
          each.row = row;
          await each.ended.promise;
        },
      })),
      {
        concurrent: true,
        exitOnError: false,
        rendererOptions: { showErrorMessage: false },
        registerSignalListeners: false,
      },
    );
    running = list.run().catch(() => undefined);
  }

  function title({ id, done, tasks, failed }: Live): string {
    return `${id} ${colors.dim(`${done}/${tasks}`)}${failed > 0 ? colors.red(` ${failed} failed`) : ''}`;
  }

  function onTask(event: BuildEvent & { readonly type: 'task.finished' }): void {
    const each = rows.find(({ id }) => id === event.job);
    if (each === undefined) return;
    each.done += 1;
    if (event.failure !== undefined || event.state === 'skipped') each.failed += 1;
    if (each.row !== null) each.row.title = title(each);
    if (each.done < each.tasks) return;
    if (each.failed > 0) each.ended.reject(new Error(`${each.failed} of ${each.tasks} not made`));
    else each.ended.resolve();
  }

  async function stop(): Promise<void> {
    if (!live) return;
    live = false;
    for (const { ended } of rows) ended.resolve();
    await running;
    for (const event of held.splice(0)) lines.onEvent(event);
  }

  return {
    onEvent(event) {
      if (event.type === 'build.started') {
        start(event);
        return;
      }
      if (!live) {
        lines.onEvent(event);
        return;
      }
      if (event.type === 'build.progress') {
        for (const each of rows) {
          const progress = event.types.find(({ type }) => type === each.type);
          if (each.row !== null && progress !== undefined && each.done < each.tasks)
            each.row.title = `${title(each)} ${colors.dim(`· ${describeType(progress)}`)}`;
        }
        return;
      }
      if (event.type === 'task.finished') onTask(event);
      // What fails is told with its cause when the lines above it stand still.
      held.push(event);
    },
    [Symbol.asyncDispose]: stop,
  };
}
