import { createReadStream } from 'node:fs';
import { z } from 'zod';
import { createLineSplitter } from '../runtime/line-splitter.ts';
import { parseRolloutLine } from './parse-rollout-line.ts';
import { hasErrno } from '../runtime/app-error.ts';

const message = z.object({
  type: z.literal('message'),
  role: z.literal('user'),
  content: z.array(z.object({ text: z.string() }).or(z.unknown().transform(() => ({ text: '' })))),
});
const userItem = z.object({
  type: z.literal('item_completed'),
  item: z.object({ type: z.literal('UserMessage') }),
});
const line = z.object({ payload: z.unknown() });

/**
 * Whether a thread's rollout file holds what the user asked. Codex makes the file some milliseconds before that is written: a thread
 * that was killed in between resumes without a fault and without its task. Null where there is no such file.
 */
export async function rolloutHasTask(rolloutPath: string, prompt: string): Promise<boolean | null> {
  const seen = { task: false };
  const splitter = createLineSplitter({
    onLine: (text) => {
      seen.task ||= isTask(text, prompt);
    },
    onOverlong: () => undefined,
  });
  try {
    for await (const chunk of createReadStream(rolloutPath)) {
      splitter.push(chunk as Buffer);
      if (seen.task) return true;
    }
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return null;
    throw error;
  }
  splitter.end();
  return seen.task;
}

function isTask(text: string, prompt: string): boolean {
  const parsed = line.safeParse(parseRolloutLine(text));
  if (!parsed.success) return false;
  const { payload } = parsed.data;
  if (userItem.safeParse(payload).success) return true;
  const said = message.safeParse(payload);
  return said.success && said.data.content.some((part) => part.text === prompt);
}
