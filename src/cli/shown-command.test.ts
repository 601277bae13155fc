import { expect, test } from 'vitest';
import { shownCommand } from './shown-command.ts';

test.each([
  ["/bin/bash -lc 'cat index.html'", 'cat index.html'],
  ['/bin/bash -lc ls', 'ls'],
  ['/usr/bin/zsh -c "echo \\"a\\" $HOME"', 'echo "a" $HOME'],
  ["bash -lc 'it'\\''s'", "it's"],
  ["bash -lc 'a\nb'", 'a\nb'],
  ['bash -lc ls -l', 'bash -lc ls -l'],
  ['node --test', 'node --test'],
  ["bash -lc 'unfinished", "bash -lc 'unfinished"],
])('%j is shown as %j', (command, shown) => {
  expect(shownCommand(command)).toBe(shown);
});
