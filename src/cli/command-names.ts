/** Every command, in the order of `--help`; for who speaks of commands without loading them. */
export const commandNames = [
  'run',
  'jobs',
  'build',
  'worker',
  'workers',
  'start-services',
  'stop-services',
  'status',
  'serve',
  'gateway',
  'doctor',
  'config',
] as const;
export type CommandName = (typeof commandNames)[number];
