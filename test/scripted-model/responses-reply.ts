import { randomBytes } from 'node:crypto';
import type { Reply } from './scenario.ts';

/** One server-sent event, and the gate to pass before it is sent. */
export interface Frame {
  readonly data: string;
  readonly gate?: string;
}

// Ids stay unique when a thread is resumed against a new server.
const instance = randomBytes(4).toString('hex');
let serial = 0;

/** An id that carries the turn's number, so that the client's next request tells where it is. */
function newId(kind: string, turn: number): string {
  serial += 1;
  return `${kind}_t${String(turn)}_${instance}${String(serial)}`;
}

export function frame(event: { readonly type: string } & Record<string, unknown>, gate?: string): Frame {
  const data = `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
  return gate === undefined ? { data } : { data, gate };
}

export function createdFrame(turn: number): Frame {
  return frame({ type: 'response.created', response: { id: newId('resp', turn) } });
}

/** The events of a reply in the Responses protocol, from `response.created` to `response.completed`. */
export function replyFrames(reply: Reply, turn: number): Frame[] {
  const id = newId('resp', turn);
  const frames = [frame({ type: 'response.created', response: { id } })];
  if (reply.reasoning !== undefined) frames.push(...reasoningFrames(reply.reasoning, turn));
  const text = [reply.text, hugeText(reply), finalText(reply)]
    .filter((part) => part !== undefined)
    .join('\n\n');
  if (text !== '' || reply.text !== undefined) frames.push(...messageFrames(text, turn, reply));
  let gate = reply.gates.tools;
  for (const item of toolCalls(reply, turn)) {
    frames.push(frame({ type: 'response.output_item.added', item }, gate));
    frames.push(frame({ type: 'response.output_item.done', item }));
    gate = undefined;
  }
  frames.push(completedFrame(id, reply));
  return frames;
}

function completedFrame(id: string, { usage, gates }: Reply): Frame {
  return frame(
    {
      type: 'response.completed',
      response: {
        id,
        usage: {
          input_tokens: usage.input,
          input_tokens_details: { cached_tokens: usage.cached },
          output_tokens: usage.output,
          output_tokens_details: { reasoning_tokens: usage.reasoning },
          total_tokens: usage.input + usage.output,
        },
      },
    },
    gates.end,
  );
}

function reasoningFrames(text: string, turn: number): Frame[] {
  const id = newId('rs', turn);
  const item = { type: 'reasoning', id, summary: [], encrypted_content: `sealed ${id}` };
  return [
    frame({ type: 'response.output_item.added', item }),
    frame({ type: 'response.reasoning_summary_part.added', item_id: id, summary_index: 0 }),
    frame({ type: 'response.reasoning_summary_text.delta', item_id: id, summary_index: 0, delta: text }),
    frame({
      type: 'response.output_item.done',
      item: { ...item, summary: [{ type: 'summary_text', text }] },
    }),
  ];
}

function messageFrames(text: string, turn: number, reply: Reply): Frame[] {
  const id = newId('msg', turn);
  const item = { type: 'message', role: 'assistant', id };
  const size = reply.huge === undefined ? reply.chunkChars : 65_536;
  const frames = [frame({ type: 'response.output_item.added', item: { ...item, content: [] } })];
  for (let at = 0; at < text.length; at += size) {
    const delta = text.slice(at, at + size);
    frames.push(frame({ type: 'response.output_text.delta', item_id: id, delta }, reply.gates.text));
  }
  const content = [{ type: 'output_text', text }];
  frames.push(frame({ type: 'response.output_item.done', item: { ...item, content } }));
  return frames;
}

function toolCalls(reply: Reply, turn: number): object[] {
  const commands = [...(reply.commands ?? []), ...hugeCommand(reply)];
  const calls: object[] = commands.map((command) => {
    const { cmd, workdir, login, yieldTimeMs, maxOutputTokens } =
      typeof command === 'string' ? { cmd: command } : command;
    const args = { cmd, workdir, login, yield_time_ms: yieldTimeMs, max_output_tokens: maxOutputTokens };
    return {
      type: 'function_call',
      call_id: newId('call', turn),
      name: 'exec_command',
      arguments: JSON.stringify(args),
    };
  });
  if (reply.patch !== undefined) {
    calls.push({
      type: 'custom_tool_call',
      call_id: newId('call', turn),
      name: 'apply_patch',
      input: reply.patch,
    });
  }
  for (const call of reply.calls ?? []) {
    const args = typeof call.arguments === 'string' ? call.arguments : JSON.stringify(call.arguments);
    calls.push({ type: 'function_call', call_id: newId('call', turn), name: call.name, arguments: args });
  }
  return calls;
}

function hugeText({ huge }: Reply): string | undefined {
  if (huge === undefined || !('textMb' in huge)) return undefined;
  const line = 'All work and no play makes a long message, and this is one line of a very long one indeed.\n';
  return line.repeat(Math.ceil((huge.textMb * 1_000_000) / line.length));
}

function hugeCommand({ huge }: Reply): string[] {
  if (huge === undefined || !('commandMb' in huge)) return [];
  return [`yes 'a line of a very long output' | head -c ${String(Math.round(huge.commandMb * 1_000_000))}`];
}

function finalText({ final }: Reply): string | undefined {
  if (!final) return undefined;
  const files = final.files.map(({ change, path }) => `- ${change}: ${path}`);
  const block = ['FILES_CHANGED:', ...files, '', 'SUMMARY:', final.summary].join('\n');
  return final.text === '' ? block : `${final.text}\n\n${block}`;
}
