/**
 * Writes deploy/seccomp.json, for containers that are started by hand, from the launcher's own profile; with `--check` it writes nothing
 * and fails where the file differs. Another file may be named: `node scripts/generate-seccomp.ts [--check] [FILE]`.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { format, resolveConfig } from 'prettier';
import { seccompProfile } from '../src/launcher/docker/seccomp-profile.ts';

const { values, positionals } = parseArgs({
  options: { check: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const file = positionals[0] ?? join(import.meta.dirname, '..', 'deploy', 'seccomp.json');
const wanted = await format(JSON.stringify(seccompProfile), {
  ...(await resolveConfig(file)),
  parser: 'json',
});
if (!values.check) {
  writeFileSync(file, wanted);
} else if (readFileSync(file, 'utf8') !== wanted) {
  console.error(`${file} is out of date: run node scripts/generate-seccomp.ts`);
  process.exitCode = 1;
}
