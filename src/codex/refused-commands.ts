import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { z } from 'zod';
import type { JobEventBody } from '../contract/event.ts';
import { hasErrno } from '../runtime/app-error.ts';
import { createLineSplitter } from '../runtime/line-splitter.ts';
import { parseRolloutLine } from './parse-rollout-line.ts';

/** How Codex begins what it tells the model of a command that it did not start; a line without it is not looked at. */
const notStarted = 'exec_command failed: ';

const callSchema = z.object({
  type: z.literal('function_call'),
  call_id: z.string(),
  arguments: z.string(),
});
const outputSchema = z.object({
  type: z.literal('function_call_output'),
  call_id: z.string(),
  output: z.string().startsWith(notStarted),
});
const lineSchema = z.object({ payload: z.union([outputSchema, callSchema]) });
const argumentsSchema = z.object({ cmd: z.string() });

/**
 * The commands that Codex did not start, as its own rules refuse them (`rm -rf`) or its sandbox failed: no driver is told of these, only the
 * thread's rollout file has them. Looks at what was written after the first `fromByte` bytes.
 */
export async function refusedCommands(
  rolloutPath: string,
  fromByte: number,
): Promise<readonly JobEventBody[]> {
  const commands = new Map<string, string>();
  const events: JobEventBody[] = [];
  const onLine = (text: string): void => {
    if (!text.includes('"function_call"') && !text.includes(notStarted)) return;
    const parsed = lineSchema.safeParse(parseRolloutLine(text));
    if (!parsed.success) return;
    const { payload } = parsed.data;
    if (payload.type === 'function_call') commands.set(payload.call_id, commandOf(payload.arguments));
    else events.push(asEvent(payload, commands.get(payload.call_id) ?? 'a command'));
  };
  const splitter = createLineSplitter({ onLine, onOverlong: () => undefined });
  try {
    for await (const chunk of createReadStream(rolloutPath, { start: fromByte }))
      splitter.push(chunk as Buffer);
  } catch (error) {
    if (!hasErrno(error, 'ENOENT')) throw error;
  }
  splitter.end();
  return events;
}

/** How long a rollout file is now; 0 where there is none. */
export async function rolloutBytes(rolloutPath: string | null): Promise<number> {
  if (rolloutPath === null) return 0;
  return stat(rolloutPath).then(
    ({ size }) => size,
    () => 0,
  );
}

function asEvent({ call_id, output }: z.infer<typeof outputSchema>, command: string): JobEventBody {
  const said = output.slice(notStarted.length);
  // CreateProcess { message: "Rejected(\"`/bin/bash -lc '…'` rejected: the reason\")" }
  const reason = /Rejected\(.*` rejected: (.*?)\\?"\)/s.exec(said)?.[1];
  if (reason !== undefined) return { type: 'agent.declined', request: command, reason };
  return { type: 'agent.command', itemId: call_id, command, status: 'failed', exitCode: null, output: said };
}

function commandOf(text: string): string {
  const parsed = argumentsSchema.safeParse(parseRolloutLine(text));
  return parsed.success ? parsed.data.cmd.slice(0, 2_000) : 'a command';
}
