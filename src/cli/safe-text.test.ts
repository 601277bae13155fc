import { describe, expect, test } from 'vitest';
import { lastWords, oneLine, safeText } from './safe-text.ts';
import { fc } from '../../test/support/properties.ts';

const dangerous = /[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u202A-\u202E\u2066-\u2069]/;

describe('safeText', () => {
  test.each([
    ['colours', '\u001B[31mred\u001B[0m', 'red'],
    ['a screen that is cleared', 'a\u001B[2J\u001B[Hb', 'ab'],
    ['a title, ended by BEL or ST', '\u001B]0;owned\u0007a\u001B]2;owned\u001B\\b', 'ab'],
    ['a link', '\u001B]8;;http://evil\u0007click\u001B]8;;\u0007', 'click'],
    ['a device string', '\u001BP+q544e\u001B\\x', 'x'],
    ['one-byte introducers', '\u009B31mred', 'red'],
    ['a line written over', 'good\rbad\b', 'goodbad'],
    ['text that runs the other way', 'a\u202Egpj.exe\u202C', 'agpj.exe'],
    [
      'a sequence that never ends: what follows stays visible',
      '\u001B]0;title and much text',
      ']0;title and much text',
    ],
  ])('takes out %s', (_name, text, safe) => {
    expect(safeText(text)).toBe(safe);
  });

  test('keeps lines, tabs and every script', () => {
    const text = 'a\tb\nüß 漢字 🙂 عربي';
    expect(safeText(text)).toBe(text);
  });

  test('leaves nothing that drives a terminal, whatever comes in', () => {
    const piece = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('\u001B[', '\u001B]', '\u0007', '\u009B', '31m'),
    );
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        expect(safeText(pieces.join(''))).not.toMatch(dangerous);
      }),
    );
  });

  test('takes linear time', () => {
    const text = '\u001B]0;'.repeat(200_000);
    expect(safeText(text)).not.toMatch(dangerous);
  });
});

describe('oneLine', () => {
  test.each([
    ['a  b\n\nc', 10, 'a b c'],
    ['abcdef', 6, 'abcdef'],
    ['abcdef', 5, 'abcd…'],
    ['漢字漢字', 8, '漢字漢字'],
    ['漢字漢字', 7, '漢字漢…'],
    ['🙂🙂🙂', 5, '🙂🙂…'],
    ['', 5, ''],
  ])('%j in %i columns is %j', (text, width, line) => {
    expect(oneLine(text, width)).toBe(line);
  });
});

test('lastWords shows the end of the last line', () => {
  expect(lastWords('first\nsecond line', 20)).toBe('second line');
  expect(lastWords('first\nsecond line', 5)).toBe('…line');
  expect(lastWords('漢字漢字', 5)).toBe('…漢字');
});
