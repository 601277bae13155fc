import { realpathSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { hasErrno } from '../runtime/app-error.ts';
import type { Environment } from './environment.ts';
import { isUnset } from './is-unset.ts';
import type { Config } from './settings.ts';

/** A rule over several settings that does not hold; `name` is the setting to change. */
export interface Broken {
  readonly name: string;
  readonly message: string;
}

interface Rule {
  /** Settings that must be valid by themselves before the rule means anything. */
  readonly over: readonly string[];
  readonly check: (config: Config, around: Around) => string | null;
}

interface Around {
  readonly environment: Environment;
  readonly home: string;
}

const rules: Readonly<Record<string, Rule>> = {
  'codex.home': {
    over: ['codex.home', 'codex.auth', 'data_dir', 'db_path'],
    check: ({ codex }, { environment, home }) => {
      const own = [join(home, '.codex'), environment['CODEX_HOME']].filter((path) => !isUnset(path));
      const isOwn = own.some((path) => path !== undefined && realPath(path) === realPath(codex.home));
      if (!isOwn || codex.auth === 'home') return null;
      return "is your own Codex home, which jobs must not change; leave it out, or set codex.auth = 'home' to use its login";
    },
  },
  'codex.sandbox_mode': {
    over: ['codex.sandbox_mode', 'codex.allow_danger'],
    check: ({ codex }) =>
      codex.sandboxMode !== 'danger-full-access' || codex.allowDanger
        ? null
        : 'danger-full-access lets the agent do anything on this machine; set codex.allow_danger = true where the worker is isolated and you mean it',
  },
};

/** The rules that `config` breaks, without those over a setting in `invalid`. */
export function checkRules(config: Config, around: Around, invalid: ReadonlySet<string>): readonly Broken[] {
  return Object.entries(rules).flatMap(([name, { over, check }]) => {
    if (over.some((setting) => invalid.has(setting))) return [];
    const message = check(config, around);
    return message === null ? [] : [{ name, message }];
  });
}

/** `path` with links followed as far as it is there. */
function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    if (!hasErrno(error, 'ENOENT', 'ENOTDIR', 'EACCES') || dirname(path) === path) return path;
    return join(realPath(dirname(path)), basename(path));
  }
}
