import { describe, expect, it } from 'vitest';
import { firstParagraph, parseOutputBlock } from './output-block.ts';
import { fc } from '../../test/support/properties.ts';

const list = [
  { path: 'contact.html', change: 'created' },
  { path: 'a page/with spaces.html', change: 'modified' },
  { path: 'old.css', change: 'deleted' },
];
const listText = '- created: contact.html\n- modified: a page/with spaces.html\n- deleted: old.css';

describe('the output block', () => {
  it.each([
    ['count and line', 'FILES_CHANGED: 3\nSUMMARY: Added a form', 3, []],
    ['list and block', `FILES_CHANGED\n${listText}\nSUMMARY\nAdded a form`, 3, list],
    ['list and block with colons', `FILES_CHANGED:\n${listText}\n\nSUMMARY:\n\nAdded a form`, 3, list],
    ['summary first', `SUMMARY\nAdded a form\n\nFILES_CHANGED\n${listText}`, 3, list],
    ['summary first, count', 'SUMMARY: Added a form\nFILES_CHANGED: 3', 3, []],
    ['a count and a list', `FILES_CHANGED: 4\n${listText}\nSUMMARY: Added a form`, 4, list],
    ['prose around it', 'I am done.\n\nFILES_CHANGED: 3\nSUMMARY: Added a form\n\nAnything else?', 3, []],
    ['CRLF', `FILES_CHANGED\r\n${listText.replaceAll('\n', '\r\n')}\r\nSUMMARY\r\nAdded a form\r\n`, 3, list],
    ['bold names', '**FILES_CHANGED:** 3\n**SUMMARY:** Added a form', 3, []],
    ['bold names, colon outside', '**FILES_CHANGED**: 3\n**SUMMARY**: Added a form', 3, []],
    ['bold lines', '**FILES_CHANGED: 3**\n**SUMMARY: Added a form**', 3, []],
    ['underscores and code', '__FILES_CHANGED__: 3\n`SUMMARY`: Added a form', 3, []],
    ['headings', `## FILES_CHANGED\n\n${listText}\n\n## SUMMARY\n\nAdded a form`, 3, list],
    ['a code fence', `\`\`\`text\nFILES_CHANGED\n${listText}\nSUMMARY\nAdded a form\n\`\`\`\nBye.`, 3, list],
    ['star bullets', `FILES_CHANGED\n${listText.replaceAll('- ', '* ')}\nSUMMARY\nAdded a form`, 3, list],
    [
      'decorated lines',
      'FILES_CHANGED\n- **created**: `contact.html`\n1. *modified:* `a page/with spaces.html` (the title)\n> - Deleted: "./old.css"\nSUMMARY\nAdded a form',
      3,
      list,
    ],
    [
      'other words for it',
      `FILES_CHANGED\n${listText.replace('created', 'Added').replace('deleted', 'removed')}\nSUMMARY: Added a form`,
      3,
      list,
    ],
    ['bullets without a change', 'FILES_CHANGED\n- contact.html\n- old.css\nSUMMARY: Added a form', 2, []],
    ['none', 'FILES_CHANGED: none\nSUMMARY: Added a form', 0, []],
    ['none in the list', 'FILES_CHANGED\n- none\nSUMMARY: Added a form', 0, []],
    ['an empty list', 'FILES_CHANGED:\n\nSUMMARY:\nAdded a form', 0, []],
    ['a list in words', 'FILES_CHANGED\nsome of them\nSUMMARY: Added a form', null, []],
    [
      'the last of several',
      'FILES_CHANGED: 9\nSUMMARY: Draft\n\nNow really:\n\nFILES_CHANGED: 3\nSUMMARY: Added a form',
      3,
      [],
    ],
    [
      'the last of several, summary first',
      'SUMMARY: Draft\nFILES_CHANGED: 9\nSUMMARY: Added a form\nFILES_CHANGED: 3',
      3,
      [],
    ],
    [
      'the same file twice',
      'FILES_CHANGED\n- created: a\n- modified: a\nSUMMARY: Added a form',
      1,
      [{ path: 'a', change: 'modified' }],
    ],
  ] as const)('is read with %s', (_name, message, filesChanged, files) => {
    expect(parseOutputBlock(message)).toEqual({ filesChanged, files, summary: 'Added a form' });
  });

  it('keeps emphasis within a summary, and its further lines up to an empty one', () => {
    expect(parseOutputBlock('**SUMMARY:** *Big* change\nin `a:b`\n\nBye')?.summary).toBe(
      '*Big* change\nin `a:b`',
    );
  });

  it('is there with one of its parts', () => {
    expect(parseOutputBlock('FILES_CHANGED: 2')).toEqual({ filesChanged: 2, files: [], summary: null });
    expect(parseOutputBlock('SUMMARY: Hi')).toEqual({ filesChanged: null, files: [], summary: 'Hi' });
  });

  it.each([
    '',
    'Done.',
    'SUMMARY of it all',
    'Summary: hi',
    'The FILES_CHANGED: 3 line',
    'FILES_CHANGEDX: 1',
  ])('is not seen in %j', (message) => {
    expect(parseOutputBlock(message)).toBeNull();
  });

  it('comes back as it was written, whatever the paths', () => {
    const path = fc
      .stringMatching(
        /^[A-Za-z0-9_()[\]{}@#$%&+,;=~^.-][A-Za-z0-9 _()[\]{}@#$%&+,;:=~^./-]{0,30}[A-Za-z0-9]$/,
      )
      .filter((text) => !text.startsWith('./'));
    const change = fc.constantFrom('created' as const, 'modified' as const, 'deleted' as const);
    const files = fc.uniqueArray(fc.record({ path, change }), { selector: (file) => file.path });
    fc.assert(
      fc.property(files, fc.boolean(), fc.constantFrom('\n', '\r\n'), (wanted, summaryFirst, eol) => {
        const lines = ['FILES_CHANGED', ...wanted.map((file) => `- ${file.change}: ${file.path}`)];
        const summary = ['SUMMARY', 'All done', ''];
        const text = (summaryFirst ? [...summary, ...lines] : [...lines, ...summary]).join(eol);
        expect(parseOutputBlock(text)).toEqual({
          filesChanged: wanted.length,
          files: wanted,
          summary: 'All done',
        });
      }),
    );
  });

  it('never throws', () => {
    const piece = fc.constantFrom(
      ...[
        'FILES_CHANGED',
        'SUMMARY',
        ':',
        '**',
        '`',
        '\n',
        '\r',
        ' ',
        '- ',
        '* ',
        '> ',
        '#',
        '```',
        'created',
        '3',
        '\u2028',
        '\ud800',
        'a',
      ],
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          fc.array(piece).map((all) => all.join('')),
        ),
        (text) => {
          parseOutputBlock(text);
          firstParagraph(text);
        },
      ),
    );
  });

  it.each([
    '- ',
    '*',
    '#',
    '> ',
    ' ',
    '\n',
    '`',
    '```\n',
    'SUMMARY\n',
    'FILES_CHANGED\n',
    'FILES_CHANGED\n- created: a\n',
    '- created: a\n',
    '\t:',
    '1. ',
    '**SUMMARY:**',
  ])('takes a megabyte of %j', (piece) => {
    // Quadratic work on this much takes minutes, well past the test's deadline.
    const text = piece.repeat(Math.ceil(1_000_000 / piece.length));
    for (const hostile of [text, `FILES_CHANGED:${text}`, `SUMMARY\n${text}`, `${text}:`]) {
      parseOutputBlock(hostile);
      firstParagraph(hostile);
    }
  });
});

describe('the first paragraph', () => {
  it.each([
    ['Added a form.\nIt works.\n\nMore.', 'Added a form.\nIt works.'],
    ['\r\n\r\n## Done\r\nIt works.', 'Done\nIt works.'],
    ['```\ncode\n```\nDone', 'code'],
    ['FILES_CHANGED: 3\n\nDone', 'Done'],
    ['   \n', null],
    ['', null],
  ])('of %j is %j', (message, paragraph) => {
    expect(firstParagraph(message)).toBe(paragraph);
  });
});
