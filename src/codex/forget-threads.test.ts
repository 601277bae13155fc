import { mkdir, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { v7 } from 'uuid';
import { expect, test } from 'vitest';
import { tempDir } from '../../test/support/temp-dir.ts';
import { forgetThreads } from './forget-threads.ts';

const atMs = Date.parse('2026-03-01T00:30:00Z');

test('the files of those threads are removed, also where the local day is another one; others stay', async () => {
  await using home = await tempDir();
  const id = (msecs: number): string => v7({ msecs });
  const [first, second, kept] = [id(atMs), id(atMs + 1), id(atMs + 2)] as [string, string, string];
  const files = [`2026/03/01/rollout-x-${first}.jsonl`, `2026/02/28/rollout-x-${second}.jsonl`];
  const others = [`2026/03/01/rollout-x-${kept}.jsonl`, '2026/03/01/notes.txt'];
  for (const file of [...files, ...others]) {
    await mkdir(path.dirname(home.join(`sessions/${file}`)), { recursive: true });
    await writeFile(home.join(`sessions/${file}`), '');
  }
  await forgetThreads(home.path, [first, second, id(atMs), 'no-uuid', '../../x', '']);
  const left = await readdir(home.join('sessions'), { recursive: true, withFileTypes: true });
  expect(
    left
      .filter((entry) => entry.isFile())
      .map(({ name }) => name)
      .toSorted(),
  ).toEqual(others.map((file) => path.basename(file)).toSorted());
});

test('where no thread was ever kept there is nothing to remove', async () => {
  await using home = await tempDir();
  await forgetThreads(home.path, [v7()]);
  expect(await readdir(home.path)).toEqual([]);
});
