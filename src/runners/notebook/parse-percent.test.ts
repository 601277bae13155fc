import { expect, test } from 'vitest';
import { parsePercent } from './parse-percent.ts';

interface Cell {
  readonly cell_type: string;
  readonly source: string;
}

function cellsOf(text: string): (readonly [string, string])[] {
  const { cells } = parsePercent('a.py', text) as { readonly cells: readonly Cell[] };
  return cells.map(({ cell_type, source }) => [cell_type, source] as const);
}

test('cells of code and text, and what stands before the first marker', () => {
  expect(
    cellsOf(
      'import os\n\n# %% [markdown]\n# # Title\n#\n# text $a$\n\n# %% a title\nx = 1\n\n\ny = 2\n# %%\n',
    ),
  ).toEqual([
    ['code', 'import os'],
    ['markdown', '# Title\n\ntext $a$'],
    ['code', 'x = 1\n\n\ny = 2'],
  ]);
});

test('text may stand in a string', () => {
  expect(cellsOf('# %% [md]\nr"""\nfirst\n\n\\begin{align}\n"""\n')).toEqual([
    ['markdown', 'first\n\n\\begin{align}'],
  ]);
});

test('commented magics run, other comments stay', () => {
  expect(cellsOf('# %%\n# %matplotlib inline\n# !ls\n# a remark\n')).toEqual([
    ['code', '%matplotlib inline\n!ls\n# a remark'],
  ]);
});

test('the header of Jupytext names the kernel and is no cell', () => {
  const text =
    '# ---\n# jupyter:\n#   kernelspec:\n#     display_name: Mine\n#     name: mine\n# ---\n\n# %%\n1\n';
  expect(parsePercent('a.py', text)).toMatchObject({ metadata: { kernelspec: { name: 'mine' } } });
  expect(cellsOf(text)).toEqual([['code', '1']]);
});

test('line ends and byte order marks of other systems make no difference', () => {
  expect(parsePercent('a.py', '\uFEFF# %%\r\n1\r\n')).toEqual(parsePercent('a.py', '# %%\n1\n'));
});

test('a script without cells is refused', () => {
  expect(() => parsePercent('a.py', 'print(1)\n')).toThrow(expect.objectContaining({ code: 'no_cells' }));
});
