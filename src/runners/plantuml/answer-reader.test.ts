import { expect, test } from 'vitest';
import type { AppError } from '../../runtime/app-error.ts';
import { createAnswerReader } from './answer-reader.ts';

function read(chunks: readonly string[], maxBytes = 1_000) {
  const answers: string[] = [];
  const faults: AppError[] = [];
  const reader = createAnswerReader({
    delimiter: '--end--',
    maxBytes,
    onAnswer: (answer) => answers.push(answer.toString()),
    onFault: (error) => faults.push(error),
  });
  for (const chunk of chunks) reader.push(Buffer.from(chunk));
  return { answers, faults };
}

test.each([
  ['in one piece', ['abc--end--\n']],
  ['byte by byte', Array.from('abc--end--\n')],
  ['with the delimiter cut in two', ['abc--e', 'nd--\n']],
  ['with the line break alone', ['abc--end--', '\n']],
])('an answer %s is found', (_how, chunks) => {
  expect(read(chunks).answers).toEqual(['abc']);
});

test('an answer may be empty, and one follows the other', () => {
  expect(read(['--end--\n', 'second--end--\n']).answers).toEqual(['', 'second']);
});

test('a flood is a fault once, and is not kept', () => {
  const { answers, faults } = read(Array.from({ length: 50 }, () => 'x'.repeat(100)));
  expect(answers).toEqual([]);
  expect(faults).toMatchObject([{ kind: 'user', code: 'output_too_large' }]);
});
