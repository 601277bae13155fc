import { jobEventSchema, type JobEvent } from '../src/contract/event.ts';
import { jobSchema, type JobView } from '../src/contract/job.ts';

/** The HTTP API as any program would use it. */
export interface Client {
  submit(body: unknown): Promise<JobView>;
  events(id: string): AsyncGenerator<JobEvent>;
  artifact(id: string, name: string): Promise<string>;
}

export function createClient(url: string, signal: AbortSignal): Client {
  async function call(path: string, init: RequestInit = {}): Promise<Response> {
    const response = await fetch(url + path, { ...init, signal });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return response;
  }
  return {
    async submit(body) {
      const headers = { 'content-type': 'application/json' };
      const response = await call('/api/jobs', { method: 'POST', headers, body: JSON.stringify(body) });
      return jobSchema.parse(await response.json());
    },
    async *events(id) {
      const { body } = await call(`/api/jobs/${id}/events`);
      let held = '';
      for await (const chunk of body?.pipeThrough(new TextDecoderStream()) ?? []) {
        held += chunk;
        const frames = held.split('\n\n');
        held = frames.pop() ?? '';
        for (const frame of frames) {
          const data = frame.split('\n').find((line) => line.startsWith('data: '));
          if (data !== undefined) yield jobEventSchema.parse(JSON.parse(data.slice('data: '.length)));
        }
      }
    },
    async artifact(id, name) {
      return (await call(`/api/jobs/${id}/artifacts/${name}`)).text();
    },
  };
}
