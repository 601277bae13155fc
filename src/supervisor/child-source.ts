import { startChild, type Child, type ChildOptions, type ChildSpec } from './child.ts';

/** What a supervisor keeps alive: how each life of it begins. */
export interface ChildSource {
  /** In messages. */
  readonly name: string;
  /** Rejects with an AppError where there is no child then; nothing of it is left. */
  readonly start: (options: ChildOptions) => Promise<Child>;
  /** Called when a child is ready: what of the next start can be done before it is needed. Must not throw. */
  readonly prepare?: (options: ChildOptions) => void;
  /** Ends what was prepared and not used. */
  readonly end?: () => Promise<void>;
}

/** A process of this machine. */
export function processSource(spec: ChildSpec): ChildSource {
  return { name: spec.command, start: (options) => startChild(spec, options) };
}
