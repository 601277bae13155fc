import { expect, test } from 'vitest';
import { agentTalk } from './agent-talk.ts';

test.each([
  ['no block', 'I look around.', 'I look around.'],
  ['a block at the end', 'Done.\n\nFILES_CHANGED:\n- created: a.html\nSUMMARY: Added a.', 'Done.'],
  ['a block with the summary first', 'Done.\nSUMMARY: Added a.\nFILES_CHANGED: 1', 'Done.'],
  ['nothing but a block', 'FILES_CHANGED:\n- created: a.html\nSUMMARY: Added a.', ''],
  ['a fenced block', 'Done.\n```\nFILES_CHANGED: 0\nSUMMARY: Nothing.\n```', 'Done.'],
  ['a chapter that is called summary', 'SUMMARY: it works.', 'SUMMARY: it works.'],
])('what an agent says to people: %s', (_name, message, talk) => {
  expect(agentTalk(message)).toBe(talk);
});
