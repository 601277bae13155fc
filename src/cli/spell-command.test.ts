import { expect, test } from 'vitest';
import { spellCommand } from './spell-command.ts';

const hint =
  'Run `capstan doctor`, or: capstan jobs apply ID. See bin/capstan run, npx capstan jobs, and Capstan itself.';

test('who came by npx is told commands that begin with npx', () => {
  expect(spellCommand(hint, { npm_command: 'exec', npm_lifecycle_event: 'npx' })).toBe(
    'Run `npx capstan doctor`, or: npx capstan jobs apply ID. See bin/capstan run, npx capstan jobs, and Capstan itself.',
  );
});

test('others are told what stands there', () => {
  expect(spellCommand(hint, {})).toBe(hint);
});
