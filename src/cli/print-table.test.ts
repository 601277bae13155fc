import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { printTable } from './print-table.ts';

async function printed(columns: number | undefined, rows: readonly (readonly string[])[]): Promise<string> {
  const out = Object.assign(new PassThrough(), columns === undefined ? {} : { columns });
  printTable(out, ['id', 'what'], rows);
  out.end();
  return text(out);
}

const long = 'word '.repeat(40).trim();

test('columns are as wide as they must be, colours aside', async () => {
  expect(
    await printed(undefined, [
      ['\u001B[31mabc\u001B[39m', 'x'],
      ['a', long],
    ]),
  ).toBe(`ID   WHAT\n\u001B[31mabc\u001B[39m  x\na    ${long}\n`);
});

test('no line is longer than the terminal is wide', async () => {
  const lines = (await printed(30, [['abc', long]])).split('\n');
  expect(lines.map((line) => line.length <= 30)).not.toContain(false);
  expect(lines[1]).toMatch(/…$/);
});

test('in a narrow terminal the first column stands on a line of its own, whole', async () => {
  const out = Object.assign(new PassThrough(), { columns: 40 });
  printTable(out, ['id', 'type', 'what'], [['0123456789'.repeat(3), 'notebook', long]]);
  out.end();
  const lines = (await text(out)).trimEnd().split('\n');
  expect(lines[2]).toBe('0123456789'.repeat(3));
  expect(lines[3]).toMatch(/^ {2}notebook {2}word .*…$/);
  expect(lines.map((each) => each.length <= 40)).not.toContain(false);
});

test('nobody needs a head without rows', async () => {
  expect(await printed(80, [])).toBe('');
});
