import { expect, test } from 'vitest';
import { redactText } from './redact-text.ts';
import { Secrets } from './secrets.ts';
import { fc, runs } from '../../test/support/properties.ts';

function knowing(...values: readonly string[]): Secrets {
  const known = new Secrets();
  for (const value of values) known.add(value);
  return known;
}

test.each([
  ['an OpenAI key', 'key sk-proj-aB3dEfGh1jKlMn0pQrSt.', 'key [redacted].'],
  ['a GitHub token', 'ghp_0123456789abcdefABCDEF0123456789abcd', '[redacted]'],
  ['a fine-grained GitHub token', 'github_pat_11ABCDEFG0123456789_abcdef', '[redacted]'],
  ['a Google key', '?key=AIzaSyA-0123456789abcdefghijklmnopqrs', '?key=[redacted]'],
  ['an AWS key id', 'AKIAIOSFODNN7EXAMPLE', '[redacted]'],
  ['a bearer token', 'Authorization: Bearer abc.DEF-123_x', 'Authorization: Bearer [redacted]'],
  ['basic credentials', 'authorization: Basic dXNlcjpwYXNzd29yZA==', 'authorization: Basic [redacted]'],
  ['a URL with a password', 'postgres://me:p@ss:w0rd@db/x', 'postgres://[redacted]@db/x'],
  ['a URL with a token', 'https://x0123456789abcdef0@host/r.git', 'https://[redacted]@host/r.git'],
  ['a signed token', 'eyJhbGciOiJI.eyJzdWIiOiIxMjM0.SflKxwRJSMeKKF2QT4', '[redacted]'],
])('%s is taken out', (_, text, expected) => {
  expect(redactText(text, new Secrets())).toBe(expected);
});

test.each([
  'task-management-for-everyone-and-all',
  'the bearer certificate and basic understanding of internationalization',
  'ssh://git@github.com/a/b.git and http://localhost:8081/x',
  'see https://example.org/a/b?c=d, mail me@example.org',
  '+const sketch = "sk-short";',
])('ordinary text stays: %s', (text) => {
  expect(redactText(text, new Secrets())).toBe(text);
});

test('a known value goes in every spelling, the longer first', () => {
  const known = knowing('pass"word/1', 'pass"word/1-longer');
  const text = [
    'pass"word/1-longer',
    JSON.stringify({ a: 'pass"word/1' }),
    encodeURIComponent('pass"word/1'),
    Buffer.from('pass"word/1').toString('base64'),
  ].join(' ');
  expect(redactText(text, known)).toBe('[redacted] {"a":"[redacted]"} [redacted] [redacted]');
});

test('each line of a known value of several lines goes, also in a diff', () => {
  const known = knowing('-----BEGIN KEY-----\nabcdefgh\nijklmnop\n-----END KEY-----\n');
  expect(redactText('+abcdefgh\n+ijklmnop\n', known)).toBe('+[redacted]\n+[redacted]\n');
});

test('too short a value is not taken, nor a part of the mark', () => {
  expect(redactText('abc [redacted]', knowing('abc', 'redacted', ''))).toBe('abc [redacted]');
});

test('a value that becomes known later is taken out from then on', () => {
  const known = new Secrets();
  expect(redactText('wunderbar', known)).toBe('wunderbar');
  known.add('wunderbar');
  expect(redactText('wunderbar', known)).toBe('[redacted]');
});

test('no known value is ever in the output', () => {
  const secret = fc
    .string({ minLength: 8, maxLength: 40, unit: 'grapheme' })
    .filter((text) => text.trim().length >= 6);
  const around = fc.array(fc.oneof(fc.string({ unit: 'grapheme' }), fc.constant(null)), { minLength: 1 });
  fc.assert(
    fc.property(secret, around, (value, pieces) => {
      fc.pre(!'[redacted]'.includes(value.trim()) && !value.includes('[redacted]'));
      const text = pieces.map((piece) => piece ?? value).join('');
      expect(redactText(text, knowing(value))).not.toContain(value);
    }),
    runs(500),
  );
});

test.each([
  ['one word', 'a'.repeat(1_000_000)],
  ['many false starts', '-eyJaaaaaaaa'.repeat(80_000)],
  ['many beginnings', '.eyJaaaaaaaa'.repeat(80_000)],
  ['many schemes', '://a:'.repeat(200_000)],
  ['many credentials', 'bearer aaaaaaa '.repeat(70_000)],
])('a megabyte of %s is done in linear time', (_, text) => {
  const known = knowing('a-known-secret', 'aaaaaaab');
  expect(redactText(text, known).length).toBeGreaterThan(0);
});
