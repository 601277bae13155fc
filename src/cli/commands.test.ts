import { describe, expect, test } from 'vitest';
import { commands, commandWords } from './commands.ts';
import { topHelp } from './top-help.ts';

describe('commandWords', () => {
  test.each([
    [
      ['jobs', 'list'],
      ['jobs', 'list'],
    ],
    [
      ['--db-path', 'run', 'jobs', 'list'],
      ['jobs', 'list'],
    ],
    [['--db-path=run', 'jobs'], ['jobs']],
    [
      ['--log-level', 'debug', 'run', 'x', '--json'],
      ['run', 'x'],
    ],
    [
      ['help', 'run'],
      ['help', 'run'],
    ],
    [['--', 'run'], []],
    [[], []],
  ])('%j', (argv, words) => {
    expect(commandWords(argv)).toEqual(words);
  });
});

test('the help names every command', () => {
  for (const { name, summary } of commands)
    expect(topHelp()).toMatch(new RegExp(`^  ${name} +${summary}$`, 'm'));
});
