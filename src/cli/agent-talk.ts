import { parseOutputBlock } from '../codex/output-block.ts';
import { parseHeading } from '../codex/output-line.ts';

/** What an agent says to people: its message without the block for machines at the end, which the job's facts show anyway. */
export function agentTalk(message: string): string {
  if (parseOutputBlock(message) === null) return message.trim();
  const lines = message.split(/\r\n|\r|\n/);
  const start = lines.findIndex((line) => parseHeading(line)?.name === 'FILES_CHANGED');
  const summary = lines.findIndex((line) => parseHeading(line)?.name === 'SUMMARY');
  // A summary alone may be a chapter of the text.
  if (start === -1) return message.trim();
  const isBefore = summary !== -1 && summary < start;
  return lines
    .slice(0, isBefore ? summary : start)
    .join('\n')
    .replace(/(?:```\w*|---+)?\s*$/, '')
    .trim();
}
