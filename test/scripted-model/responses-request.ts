import type { IncomingHttpHeaders } from 'node:http';
import { z } from 'zod';
import type { HistoryItem, ModelRequest } from './model-request.ts';

const text = z.union([z.string(), z.array(z.looseObject({ text: z.string().optional() }))]);
const item = z.looseObject({
  type: z.string(),
  role: z.string().optional(),
  id: z.string().nullish(),
  call_id: z.string().nullish(),
  content: text.nullish(),
  output: text.nullish(),
});
const body = z.looseObject({ model: z.string(), input: z.array(item) });

/** Codex sends these as messages of the user; nobody typed them. */
const contextMessage =
  /^\s*(<(environment_context|turn_aborted|user_instructions|INSTRUCTIONS|skill|user_shell_command|subagent_notification|permissions)\b|# AGENTS\.md instructions)/;

/** A Responses request as the engine sees it; throws where the body is no such request. */
export function parseResponsesRequest(value: unknown, headers: IncomingHttpHeaders): ModelRequest {
  const parsed = body.parse(value);
  return {
    threadId: String(headers['thread-id'] ?? headers['session-id'] ?? ''),
    token: bearerToken(headers),
    model: parsed.model,
    history: parsed.input.flatMap(historyItem),
  };
}

export function bearerToken(headers: IncomingHttpHeaders): string {
  return /^Bearer (.+)$/i.exec(headers.authorization ?? '')?.[1] ?? '';
}

function historyItem(raw: z.output<typeof item>): HistoryItem[] {
  if (raw.type === 'message' && raw.role === 'user') {
    const prompt = asText(raw.content);
    return contextMessage.test(prompt) ? [] : [{ kind: 'prompt', text: prompt }];
  }
  if (raw.type.endsWith('_output')) return [{ kind: 'result', text: asText(raw.output) }];
  if (raw.type === 'message' && raw.role !== 'assistant') return [];
  const turn = turnOf(raw.call_id) ?? turnOf(raw.id);
  return [turn === undefined ? { kind: 'output' } : { kind: 'output', turn }];
}

/** Our ids carry the turn's number (see responses-reply.ts), and the client sends them back. */
function turnOf(id: string | null | undefined): number | undefined {
  const found = /^[a-z]+_t(\d+)_/.exec(id ?? '')?.[1];
  return found === undefined ? undefined : Number(found);
}

function asText(content: z.output<typeof text> | null | undefined): string {
  if (typeof content === 'string') return content;
  return (content ?? []).map((part) => part.text ?? '').join('\n');
}
