import { jobEventSchema, type JobEvent } from '../../../src/contract/event.ts';

/** A job's server-sent events behind `afterSeq`; ends when the server ends the stream or is gone. */
export async function* follow(url: string, id: string, afterSeq = 0): AsyncGenerator<JobEvent> {
  const headers = { 'last-event-id': String(afterSeq) };
  const { body } = await fetch(`${url}/api/jobs/${id}/events`, {
    headers,
    signal: AbortSignal.timeout(60_000),
  });
  let held = '';
  try {
    for await (const chunk of body?.pipeThrough(new TextDecoderStream()) ?? []) {
      const frames = (held + chunk).split('\n\n');
      held = frames.pop() ?? '';
      for (const frame of frames) {
        const data = frame.split('\n').find((line) => line.startsWith('data: '));
        if (data !== undefined) yield jobEventSchema.parse(JSON.parse(data.slice('data: '.length)));
      }
    }
  } catch (error) {
    // A server that was killed breaks the stream off.
    if (!(error instanceof TypeError)) throw error;
  }
}
