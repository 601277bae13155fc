import type { BuildEvent } from '../../contract/build-event.ts';

/** Tells a person, or a program, what happens in a build. */
export interface BuildView extends AsyncDisposable {
  onEvent(event: BuildEvent): void;
  /** The user wants to stop: what is under way is ended. */
  onInterrupted(): void;
}

export interface BuildViewOptions {
  readonly output: 'default' | 'verbose' | 'quiet' | 'json';
  readonly explain: boolean;
  /** Commands in a text as this caller can type them. */
  readonly spell: (text: string) => string;
}
