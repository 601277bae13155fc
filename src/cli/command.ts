import type { Command } from 'commander';
import type { CliContext, ExitCode } from './context.ts';

/** One command's file: its arguments and options, and what it does with them. */
export interface CliCommand {
  /** Adds arguments, options and subcommands; `act` wraps each action so that its exit code and errors are handled in one place. */
  define(command: Command, act: Act): void;
}

/** An action gets the positional arguments, then the options, as commander parsed them; it parses them further itself. */
export type Action = (
  context: CliContext,
  args: readonly string[],
  options: Readonly<Record<string, unknown>>,
) => Promise<ExitCode>;
export type Act = (action: Action) => (...raw: unknown[]) => Promise<void>;
