import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const run = promisify(execFile);
const script = path.join(import.meta.dirname, '../../scripts/generate-codex-protocol.ts');

test('the committed protocol is what the pinned Codex says', async () => {
  await expect(run(process.execPath, [script, '--check'])).resolves.toMatchObject({ stderr: '' });
});
