import { execFile } from 'node:child_process';
import { realpath } from 'node:fs/promises';
import { AppError } from '../runtime/app-error.ts';
import type { ChildSpec } from './child.ts';
import { jailScript } from './jail-script.ts';

/** Whether children can be shut into namespaces of their own here; `why` says what is missing. */
export type Jail = { readonly kind: 'namespaces' } | { readonly kind: 'none'; readonly why: string };

export interface JailRules {
  /** The only folders of this machine, besides its installed programs, that the child sees; they keep their paths. */
  readonly folders: readonly { readonly path: string; readonly access: 'read' | 'write' }[];
  /** `none`: no address can be reached, not even this machine's own. */
  readonly network: 'none' | 'open';
}

const probeLimitMs = 10_000;
const toolPath = '/usr/sbin:/usr/bin:/sbin:/bin';

/** Finds out by trying whether a jail can be made. Rejects only when the signal aborts. */
export async function probeJail(signal: AbortSignal): Promise<Jail> {
  signal.throwIfAborted();
  if (process.platform !== 'linux') return { kind: 'none', why: `${process.platform} has no namespaces.` };
  const probe: ChildSpec = { command: '/bin/sh', args: ['-c', 'echo jailed'], env: {}, cwd: '/' };
  const { command, args } = await jailed(probe, { folders: [], network: 'none' }, { kind: 'namespaces' });
  const why = await new Promise<string | null>((resolve) => {
    const limits = {
      signal,
      timeout: probeLimitMs,
      killSignal: 'SIGKILL',
      env: { PATH: toolPath },
      cwd: '/',
    } as const;
    execFile(command, args, limits, (error, stdout, stderr) => {
      if (error === null && stdout.trim() === 'jailed') resolve(null);
      else resolve(/^.+$/m.exec(stderr)?.[0] ?? error?.message ?? 'it gave no answer');
    });
  });
  signal.throwIfAborted();
  return why === null ? { kind: 'namespaces' } : { kind: 'none', why: `A jail cannot be made: ${why}` };
}

/**
 * The child inside a jail: a mount namespace that holds installed programs, read-only, and the folders named; an empty /tmp; no
 * capabilities; no network where the rules say so. Unchanged where there are no namespaces. Rejects with `jail_folder_missing`.
 */
export async function jailed(spec: ChildSpec, rules: JailRules, jail: Jail): Promise<ChildSpec> {
  if (jail.kind === 'none') return spec;
  const folders = await Promise.all(
    rules.folders.map(
      async ({ path, access }) => `${access === 'read' ? 'ro' : 'rw'}:${await realFolder(path)}`,
    ),
  );
  const cwd = await realFolder(spec.cwd);
  const namespaces = ['--user', '--map-root-user', '--mount', ...(rules.network === 'none' ? ['--net'] : [])];
  return {
    command: '/usr/bin/unshare',
    args: [
      ...namespaces,
      '--',
      '/bin/sh',
      '-c',
      jailScript,
      'jail',
      String(folders.length),
      ...folders,
      cwd,
      rules.network,
      spec.env['PATH'] ?? toolPath,
      spec.command,
      ...spec.args,
    ],
    env: { ...spec.env, PATH: toolPath },
    cwd: '/',
  };
}

async function realFolder(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    throw new AppError('infrastructure', 'jail_folder_missing', `The folder ${path} is not there.`, {
      cause: error,
    });
  }
}
