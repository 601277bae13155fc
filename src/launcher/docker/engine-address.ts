import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { AppError, hasErrno } from '../../runtime/app-error.ts';

type Environment = Readonly<Record<string, string | undefined>>;

export interface AddressOptions {
  readonly environment: Environment;
  readonly platform: NodeJS.Platform;
  readonly home: string;
}

const configSchema = z.object({ currentContext: z.string().optional() });
const contextSchema = z.object({ Endpoints: z.object({ docker: z.object({ Host: z.string() }) }) });

/**
 * The socket of the engine that the `docker` command would use: DOCKER_HOST, then DOCKER_CONTEXT or the chosen context, then the
 * platform's. Throws `docker_remote` for an engine on another machine, whose containers cannot see this one's folders.
 */
export function engineSocket({ environment, platform, home }: AddressOptions): string {
  const usual = platform === 'win32' ? '//./pipe/docker_engine' : '/var/run/docker.sock';
  const host = filled(environment['DOCKER_HOST']) ?? contextHost(environment, home);
  if (host === null) return usual;
  const [, scheme = '', path = ''] = /^(unix|npipe):\/\/(.*)$/.exec(host) ?? [];
  if (scheme !== '') return path === '' ? usual : path;
  throw new AppError(
    'configuration',
    'docker_remote',
    `The Docker engine at ${host.replace(/\/\/[^@/]*@/, '//')} is reached over a network.`,
    {
      hint: 'Its containers cannot mount the data folder of this machine: use an engine of this machine (unset DOCKER_HOST, `docker context use default`), or --workers=direct.',
    },
  );
}

function contextHost(environment: Environment, home: string): string | null {
  const folder = filled(environment['DOCKER_CONFIG']) ?? join(home, '.docker');
  const chosen = configSchema.safeParse(readJson(join(folder, 'config.json'))).data?.currentContext;
  const name = filled(environment['DOCKER_CONTEXT']) ?? filled(chosen);
  if (name === null || name === 'default') return null;
  const id = createHash('sha256').update(name).digest('hex');
  const context = contextSchema.safeParse(readJson(join(folder, 'contexts', 'meta', id, 'meta.json')));
  return context.data?.Endpoints.docker.Host ?? null;
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as unknown;
  } catch (error) {
    if (error instanceof SyntaxError || hasErrno(error, 'ENOENT', 'ENOTDIR', 'EACCES')) return null;
    throw error;
  }
}

function filled(text: string | undefined): string | null {
  return text === undefined || text.trim() === '' ? null : text.trim();
}
