import type { Program } from '../../launcher/direct/worker-command.ts';

/** What started workers get of the process that starts them. */
export interface LaunchSurroundings {
  readonly program: Program;
  /** Settings that were given on the command line, in its words. */
  readonly settings: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** Each line that an attached worker logs. */
  readonly onLogLine: (line: string) => void;
  /** What a person should know while workers are started. */
  readonly onNotice?: (message: string) => void;
}
