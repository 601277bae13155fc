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
    summary: 'List, show, follow, cancel and retry jobs',
    load: async () => (await import('./jobs.ts')).jobsCommand,
  },
  {
    name: 'worker',
    summary: 'Start a worker that takes jobs until it is stopped',
    load: async () => (await import('./worker.ts')).workerCommand,
  },
  {
    name: 'workers',
    summary: 'List registered workers',
    load: async () => (await import('./workers.ts')).workersCommand,
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
