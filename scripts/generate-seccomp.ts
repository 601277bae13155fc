/** Writes deploy/seccomp.json, for containers that are started by hand, from the launcher's own; with `--check` it fails where the file differs. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { seccompProfile } from '../src/launcher/docker/seccomp-profile.ts';

const file = join(import.meta.dirname, '..', 'deploy', 'seccomp.json');
const wanted = await format(JSON.stringify(seccompProfile), {
  ...(await resolveConfig(file)),
  parser: 'json',
});
if (!process.argv.includes('--check')) {
  writeFileSync(file, wanted);
} else if (readFileSync(file, 'utf8') !== wanted) {
  console.error(`${file} is out of date: run node scripts/generate-seccomp.ts`);
  process.exitCode = 1;
}
