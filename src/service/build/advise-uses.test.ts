import { expect, test } from 'vitest';
import { makeTree } from '../../../test/support/scratch-folder.ts';
import { tempDir } from '../../../test/support/temp-dir.ts';
import { adviseUses, adviseWarning } from './advise-uses.ts';

const failure = (message: string) => ({ kind: 'user', code: 'x', message, hint: 'Correct it.' }) as const;

test('a job that missed a file of the project is told to name it in `uses`; any other failure is left as it is', async () => {
  await using dir = await tempDir();
  await makeTree(dir.path, { 'slides/data.csv': '1', 'style.iuml': 'x', 'slides/known.csv': '1' });
  const place = {
    root: dir.path,
    job: 'slides',
    file: 'slides/a.py',
    files: ['slides/a.py', 'slides/known.csv'],
  };
  const hintOf = (message: string): string => adviseUses(failure(message), place).hint;
  const advice = (path: string): RegExp => new RegExp(`uses: '${path}'.*'slides'`);

  expect(hintOf("a.py, cell 2: FileNotFoundError: [Errno 2] No such file or directory: 'data.csv'")).toMatch(
    advice('slides/data.csv'),
  );
  expect(hintOf('a.puml, line 2: cannot include ../style.iuml.')).toMatch(advice('style.iuml'));
  expect(hintOf("No such file or directory: 'none.csv'")).toBe('Correct it.');
  expect(hintOf("No such file or directory: 'known.csv'")).toBe('Correct it.');
  expect(hintOf("No such file or directory: '../../../etc/passwd'")).toBe('Correct it.');
  expect(hintOf('Syntax Error.')).toBe('Correct it.');
  const warning = 'a.html shows pictures that are not there: none.png, data.csv';
  expect(adviseWarning(warning, place)).toMatch(advice('slides/data.csv'));
  expect(adviseWarning('a.puml: a is cut off.', place)).toBe('a.puml: a is cut off.');
});
