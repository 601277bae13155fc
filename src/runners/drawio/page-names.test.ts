import { expect, test } from 'vitest';
import { pageNames } from './page-names.ts';

test.each([
  ['<mxfile><diagram id="1" name="One"></diagram><diagram name=\'Two\'/></mxfile>', ['One', 'Two']],
  ['<mxfile><diagram id="a > b" name="A &amp; B &#x3c0;&#33;">x</diagram></mxfile>', ['A & B π!']],
  ['<mxfile><diagram></diagram></mxfile>', [null]],
  ['<mxGraphModel><root/></mxGraphModel>', [null]],
])('the pages of %s', (xml, names) => {
  expect(pageNames('a.drawio', xml)).toEqual(names);
});

test('what holds no page is refused', () => {
  expect(() => pageNames('a.drawio', '<html></html>')).toThrow('a.drawio cannot be drawn: it holds no page.');
});
