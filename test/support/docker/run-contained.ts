import path from 'node:path';
import { runLabel, testRunId } from '../test-run.ts';

const profile = path.join(import.meta.dirname, '../../../deploy/seccomp.json');

/** Who has nothing on this machine. */
const nobody = '12345:12345';

/** Arguments of `docker run` for a container that is shut in as deploy/compose.yaml does it; it carries the run's label. */
export function contained(user = nobody): readonly string[] {
  return [
    ...['--label', `${runLabel}=${testRunId()}`, '--user', user, '--read-only'],
    ...['--tmpfs', '/tmp:exec,mode=1777', '--tmpfs', '/home/capstan:exec,mode=1777'],
    ...['--cap-drop', 'ALL', '--security-opt', 'no-new-privileges', '--security-opt', `seccomp=${profile}`],
    ...['--pids-limit', '4096'],
  ];
}
