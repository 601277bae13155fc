import { startChild, type Child, type ChildSpec } from './child.ts';
import type { ChildSource } from './child-source.ts';
import { endChild } from './end-child.ts';
import { systemTime } from './time.ts';

/** Reads its line a byte at a time: what comes after it is the command's. The end of stdin ends it. */
const gate = 'read -r _ || exit 0; exec "$@"';
/** A gate has nothing to lose: it may be killed at once. */
const graces = { stdinEndMs: 500, termMs: 500, killMs: 2_000 };

/**
 * A process of this machine whose successor stands ready: forked, in its namespace, with the command still to be run. In a process that is large and
 * busy, that is what a restart would wait for.
 */
export function preparedSource(spec: ChildSpec): ChildSource {
  let next: Promise<Child> | null = null;
  /** Killed while they waited. */
  const hasEnded = new WeakSet<Child>();
  let isEnded = false;
  const gated: ChildSpec = {
    ...spec,
    command: '/bin/sh',
    args: ['-c', gate, 'gate', spec.command, ...spec.args],
  };
  return {
    name: spec.command,
    async start(options) {
      const prepared = await next?.catch(() => null);
      next = null;
      if (prepared === undefined || prepared === null || hasEnded.has(prepared))
        return startChild(spec, options);
      prepared.stdin.write('\n');
      return prepared;
    },
    prepare(options) {
      if (isEnded || next !== null) return;
      next = startChild(gated, options);
      next.then(
        (child) => child.exited.then(() => hasEnded.add(child)),
        // The start that needs it meets what is wrong and says it.
        () => undefined,
      );
    },
    async end() {
      isEnded = true;
      const child = (await next?.catch(() => null)) ?? null;
      next = null;
      if (child !== null)
        await endChild(child, { graces, time: systemTime, onGraceExceeded: () => undefined });
    },
  };
}
