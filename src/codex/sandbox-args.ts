import type { PermissionProfile } from './permission-profile.ts';
import { toToml } from './toml.ts';

/** The arguments with which Codex runs a command of ours where an agent's commands run. */
export function sandboxArgs(
  profile: PermissionProfile,
  workspaceDir: string,
  command: readonly string[],
): readonly string[] {
  const rule = toToml({
    job: { filesystem: { ...profile.filesystem }, network: { ...profile.network } },
  }).trim();
  // `"job" = {…}` is the table's one line; on the command line its key is dotted.
  const override = `permissions.job=${rule.slice(rule.indexOf('=') + 1).trim()}`;
  return ['sandbox', '-P', 'job', '-C', workspaceDir, '-c', override, '--', ...command];
}
