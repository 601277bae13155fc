import { AppError } from '../runtime/app-error.ts';
import type { SupervisorEvent } from '../supervisor/supervisor-options.ts';

export interface EarlyExits {
  note(event: SupervisorEvent): void;
  noteLine(line: string): void;
  /** Rejects with `tool_broken` (kind configuration) once the program has ended twice without ever being ready; never resolves. */
  readonly tooMany: Promise<never>;
}

const allowed = 2;

/** Tells a program that cannot start here at all from one that died once: nobody waits a minute for the first. */
export function watchEarlyExits(name: string, hint: string): EarlyExits {
  const { promise, reject } = Promise.withResolvers<never>();
  promise.catch(() => undefined);
  let exits = 0;
  let ready = false;
  let lastLine = '';
  return {
    note(event) {
      if (event.type === 'worker_ready') ready = true;
      if (event.type !== 'worker_exit' || ready) return;
      exits += 1;
      if (exits < allowed) return;
      const said = lastLine === '' ? (event.error ?? 'it said nothing') : lastLine;
      reject(new AppError('configuration', 'tool_broken', `${name} does not start here: ${said}`, { hint }));
    },
    noteLine(line) {
      if (line.trim() !== '') lastLine = line.trim().slice(0, 500);
    },
    tooMany: promise,
  };
}
