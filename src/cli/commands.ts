import type { CliCommand } from './command.ts';

export interface CommandEntry {
  readonly name: string;
  readonly summary: string;
  load(): Promise<CliCommand>;
}

/** Every command, loaded only when it is the one that was called. */
export const commands: readonly CommandEntry[] = [
  {
    name: 'run',
    summary: 'Run one job on a folder and wait for it',
    load: async () => (await import('./run.ts')).runCommand,
  },
  {
    name: 'jobs',
    summary: 'List, show, follow, cancel, retry and apply jobs',
    load: async () => (await import('./jobs.ts')).jobsCommand,
  },
  {
    name: 'build',
    summary: 'Make what a manifest says, and of that only what changed',
    load: async () => (await import('./build.ts')).buildCommand,
  },
  {
    name: 'worker',
    summary: 'Start a worker that takes jobs until it is stopped',
    load: async () => (await import('./worker.ts')).workerCommand,
  },
  {
    name: 'workers',
    summary: 'List registered workers, clean up after dead ones',
    load: async () => (await import('./workers.ts')).workersCommand,
  },
  {
    name: 'start-services',
    summary: 'Start workers that go on until they are stopped',
    load: async () => (await import('./start-services.ts')).startServicesCommand,
  },
  {
    name: 'stop-services',
    summary: 'Stop the workers that start-services started',
    load: async () => (await import('./stop-services.ts')).stopServicesCommand,
  },
  {
    name: 'status',
    summary: 'Say how workers and queues stand: exit 0 healthy, 1 warning, 2 error',
    load: async () => (await import('./status.ts')).statusCommand,
  },
  {
    name: 'serve',
    summary: 'Serve the HTTP API, with a worker',
    load: async () => (await import('./serve.ts')).serveCommand,
  },
  {
    name: 'gateway',
    summary: 'Serve an OpenAI-compatible endpoint on Codex',
    load: async () => (await import('./gateway.ts')).gatewayCommand,
  },
  {
    name: 'doctor',
    summary: 'Check what is installed, what is missing, what to do',
    load: async () => (await import('./doctor.ts')).doctorCommand,
  },
  {
    name: 'config',
    summary: 'Show the settings and where they come from',
    load: async () => (await import('./config.ts')).configCommand,
  },
];

/** Options of every command; each takes a value. */
export const globalOptions = [
  { name: '--db-path', flags: '--db-path <file>', summary: 'the database; its folder is the data folder' },
  { name: '--log-level', flags: '--log-level <level>', summary: 'trace, debug, info, warn, error or silent' },
] as const;

/** The words that say which command is meant, without the options before it: `--db-path x jobs list` gives `jobs list`. */
export function commandWords(argv: readonly string[]): readonly string[] {
  const words: string[] = [];
  for (let at = 0; at < argv.length; at += 1) {
    const word = argv[at] ?? '';
    if (word === '--') break;
    if (globalOptions.some(({ name }) => name === word)) at += 1;
    else if (!word.startsWith('-')) words.push(word);
  }
  return words;
}
