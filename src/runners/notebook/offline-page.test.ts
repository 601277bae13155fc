import { expect, test } from 'vitest';
import { loadedFromElsewhere, makeOffline, missingPictures } from './offline-page.ts';

const page = (body: string): string =>
  `<html><head><!-- capstan:require --><!-- capstan:mathjax --></head><body>${body}</body></html>`;

test.each(['<p>$a^2$</p>', '<p>$$a$$</p>', '<p>\\(a\\)</p>', '<p>\\begin{align}a\\end{align}</p>'])(
  'a page with %s brings MathJax along',
  async (body) => {
    const html = await makeOffline(page(body));
    expect(html).toContain('window.MathJax');
    expect(html.length).toBeGreaterThan(1_000_000);
    expect(loadedFromElsewhere(html)).toEqual([]);
  },
);

test('a page without mathematics stays small', async () => {
  const html = await makeOffline(page('<p>It costs $5.</p><script>const $a = "$b$";</script>'));
  expect(html.length).toBeLessThan(1_000);
});

test('what a page would load is named', () => {
  const html =
    '<script src="https://cdn.example/x.js"></script><link href="file:///usr/y.css"><a href="https://z"></a>';
  expect(loadedFromElsewhere(html)).toEqual(['https://cdn.example/x.js', 'file:///usr/y.css']);
});

test('pictures that are not part of a page are named', () => {
  const html =
    '<img src="data:image/png;base64,AA"><img alt="x" src="../a b.svg"><img src="https://z/x.png">';
  expect(missingPictures(html)).toEqual(['../a b.svg']);
});
