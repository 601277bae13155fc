import { expect, test } from 'vitest';
import { createRedactor } from './create-redactor.ts';
import { redactText } from './redact-text.ts';
import { Secrets } from './secrets.ts';
import { fc, runs } from '../../test/support/properties.ts';

const spaced = 'a secret of four words';
const known = new Secrets();
const values = ['hunter2hunter2', spaced, 'two\nlines-of-it', 'x1y2z3'];
for (const value of values) known.add(value);

function inPieces(pieces: readonly string[]): string {
  const redactor = createRedactor(known);
  return pieces.map((piece) => redactor.push(piece)).join('') + redactor.flush();
}

test.each([...values, 'sk-abcdefghijklmnop1234', 'Bearer abcdefgh1', 'https://me:pa55@host'])(
  '%s is found wherever a stream is cut',
  (value) => {
    const text = `before ${value} after`;
    for (let cut = 0; cut <= text.length; cut += 1) {
      expect(inPieces([text.slice(0, cut), text.slice(cut)])).toBe(redactText(text, known));
    }
    expect(inPieces(text.split(''))).toBe(redactText(text, known));
  },
);

test('any cutting of any text gives what the whole text gives', () => {
  const parts = fc.constantFrom(
    ...values,
    ...[
      'sk-abcdefghijklmnop1234',
      'Bearer ',
      'basic  ',
      '://',
      'u:p@',
      'abcdefgh1',
      ' ',
      '\n',
      'word',
      '-',
      'a secret',
      'two',
    ],
  );
  fc.assert(
    fc.property(fc.array(parts), fc.array(fc.nat(400)), (texts, at) => {
      const text = texts.join('');
      const cuts = [0, ...at.filter((cut) => cut < text.length).sort((a, b) => a - b), text.length];
      const pieces = cuts.slice(1).map((end, index) => text.slice(cuts[index], end));
      const output = inPieces(pieces);
      for (const value of values) expect(output).not.toContain(value);
      expect(output).toBe(redactText(text, known));
    }),
    runs(1000),
  );
});

test('words pass on as soon as they are complete', () => {
  const redactor = createRedactor(known);
  expect(redactor.push('Hello wor')).toBe('Hello ');
  expect(redactor.push('ld and ')).toBe('world and ');
  expect(redactor.push('more')).toBe('');
  expect(redactor.flush()).toBe('more');
});

test('a word without an end is not held for ever, and a secret across its cuts is found', () => {
  const redactor = createRedactor(known);
  let output = '';
  let mostHeld = 0;
  let given = 0;
  for (let round = 0; round < 20_000; round += 1) {
    const piece = round % 100 === 0 ? 'hunter2hun' : round % 100 === 1 ? 'ter2-.-.-.' : '_123456789';
    given += piece.length;
    output += redactor.push(piece);
    mostHeld = Math.max(mostHeld, given - output.length);
  }
  output += redactor.flush();
  expect(output).not.toContain('hunter2hunter2');
  expect(output.split('[redacted]')).toHaveLength(201);
  expect(mostHeld).toBeLessThan(20_000);
});
