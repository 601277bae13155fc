import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { tempDir } from '../../../test/support/temp-dir.ts';
import { readProjectInstructions } from './project-instructions.ts';

test('the AGENTS.md at the root is what the project tells agents', async () => {
  await using dir = await tempDir();
  await writeFile(dir.join('AGENTS.md'), '# Rules\nUse tabs.\n');
  expect(readProjectInstructions(dir.path)).toBe('# Rules\nUse tabs.');
});

test('without one, or with an empty one, it tells nothing', async () => {
  await using dir = await tempDir();
  expect(readProjectInstructions(dir.path)).toBeNull();
  await writeFile(dir.join('AGENTS.md'), '\n');
  expect(readProjectInstructions(dir.path)).toBeNull();
});

test('a link is not followed, and a folder of that name is not read', async () => {
  await using dir = await tempDir();
  await writeFile(dir.join('elsewhere'), 'a secret');
  await mkdir(dir.join('linked'));
  await symlink(dir.join('elsewhere'), dir.join('linked/AGENTS.md'));
  expect(readProjectInstructions(dir.join('linked'))).toBeNull();
  await mkdir(dir.join('folder/AGENTS.md'), { recursive: true });
  expect(readProjectInstructions(dir.join('folder'))).toBeNull();
});

test('one that is too long is cut where Codex would cut it', async () => {
  await using dir = await tempDir();
  await writeFile(dir.join('AGENTS.md'), 'x'.repeat(100_000));
  expect(readProjectInstructions(dir.path)).toHaveLength(32 * 1024);
});
