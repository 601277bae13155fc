import { spawnSync } from 'node:child_process';
import { describe, test, type TestContext } from 'vitest';
import { whyNoEngine } from './docker/engine.ts';

/** Null, or why the thing is missing. */
type Probe = () => string | null;

const probes = {
  docker: whyNoEngine,
  compose: () => probe('docker-compose', ['--version']),
  git: () => probe('git', ['--version']),
  redis: () => probe('redis-server', ['--version']),
  chromium: () => probe('chromium', ['--version']),
  plantuml: () => probe('plantuml', ['-version']),
  graphviz: () => probe('dot', ['-V']),
  jupyter: () => probe('jupyter-nbconvert', ['--version']),
  root: () => (process.getuid?.() === 0 ? null : 'not run as root'),
  userns: () => probe('unshare', ['--user', '--map-root-user', '--pid', '--fork', 'true']),
} satisfies Record<string, Probe>;

export type Need = keyof typeof probes;

export interface Guarded {
  readonly test: (name: string, body: (context: TestContext) => unknown, timeoutMs?: number) => void;
  readonly describe: (name: string, body: () => void) => void;
}

const known = new Map<Need, string | null>();

/** `test` and `describe` for what needs things that a machine may lack: there they are skipped, by name and with the reason. */
export function needs(...things: readonly Need[]): Guarded {
  const missing = things.map(whyMissing).filter((reason) => reason !== null);
  if (missing.length === 0) return { test, describe };
  const reason = missing.join('; ');
  return {
    test: (name) => test(name, (context) => context.skip(reason)),
    describe: (name, body) => describe.skip(`${name} [${reason}]`, body),
  };
}

function whyMissing(thing: Need): string | null {
  const before = known.get(thing);
  if (before !== undefined) return before;
  const reason = probes[thing]();
  const said = reason === null ? null : `needs ${thing}: ${reason}`;
  known.set(thing, said);
  return said;
}

function probe(command: string, args: readonly string[]): string | null {
  const { error, status, stderr } = spawnSync(command, args, { encoding: 'utf8', timeout: 10_000 });
  if (error !== undefined) return `${command} is not there (${error.message})`;
  return status === 0
    ? null
    : (stderr.trim().split('\n')[0] ?? `${command} ended with ${status ?? 'a signal'}`);
}
