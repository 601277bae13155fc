import type { Usage } from '../../contract/job.ts';
import { field } from '../field.ts';
import { EventStreamReader } from './event-stream.ts';

const maxEventBytes = 16 * 1024 * 1024;
const endings = ['response.completed', 'response.incomplete', 'response.failed'] as const;

/** How a model's streamed response ended, as its last event says. */
export interface ResponseEnding {
  readonly type: (typeof endings)[number];
  readonly usage: Usage | null;
  /** The response's `error` object, as it came. */
  readonly error: unknown;
}

/** Reads a Responses event stream beside its way to the client and calls back for the event that ends a response. */
export function watchResponse(onEnding: (ending: ResponseEnding) => void): EventStreamReader {
  return new EventStreamReader(maxEventBytes, (data) => {
    // Nearly all events are small deltas: a byte search spares their decoding.
    if (!endings.some((type) => data.includes(type))) return;
    const ending = parseEnding(data);
    if (ending !== null) onEnding(ending);
  });
}

function parseEnding(data: Buffer): ResponseEnding | null {
  let event: unknown;
  try {
    event = JSON.parse(data.toString('utf8'));
  } catch (error) {
    // A foreign stream may hold anything; the client judges it, not the meter.
    if (error instanceof SyntaxError) return null;
    throw error;
  }
  const type = endings.find((known) => known === field(event, 'type'));
  if (type === undefined) return null;
  const response = field(event, 'response');
  return { type, usage: parseUsage(field(response, 'usage')), error: field(response, 'error') };
}

function parseUsage(usage: unknown): Usage | null {
  if (typeof usage !== 'object' || usage === null) return null;
  return {
    inputTokens: count(field(usage, 'input_tokens')),
    cachedInputTokens: count(field(field(usage, 'input_tokens_details'), 'cached_tokens')),
    outputTokens: count(field(usage, 'output_tokens')),
  };
}

function count(value: unknown): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : 0;
}
