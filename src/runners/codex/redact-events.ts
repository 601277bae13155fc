import type { JobEventBody } from '../../contract/event.ts';
import { createRedactor, type Redactor } from '../../telemetry/create-redactor.ts';
import { redactValue } from '../../telemetry/redact-value.ts';

/**
 * Takes secrets out of what an agent says and what its commands print, before anybody sees or stores it. Pieces of a message are held
 * back word by word, so that a secret which lies across two of them is found; the whole message follows them anyway.
 * @returns the event to pass on, or null where nothing is left of it for now
 */
export function createEventRedactor(): (event: JobEventBody) => JobEventBody | null {
  const streams = new Map<string, Redactor>();
  return (event) => {
    if (event.type === 'agent.message.delta') {
      const stream = streams.get(event.itemId) ?? createRedactor();
      streams.set(event.itemId, stream);
      const delta = stream.push(event.delta);
      return delta === '' ? null : { ...event, delta };
    }
    if (event.type === 'agent.message') streams.delete(event.itemId);
    return redactValue(event) as JobEventBody;
  };
}
