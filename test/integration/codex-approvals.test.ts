import { access, writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { startAppServer } from '../../src/codex/app-server/app-server-process.ts';
import { ThreadWatch } from '../../src/codex/app-server/thread-watch.ts';
import { threadConfig } from '../../src/codex/thread-config.ts';
import type { JsonValue } from '../../src/codex/protocol/generated/serde_json/JsonValue.ts';
import type { JobEventBody } from '../../src/contract/event.ts';
import { driverNames, openStage, type CodexStage, type StageJob } from '../support/codex-stage.ts';
import {
  completedEvent,
  readBody,
  sendEvents,
  startUpstream,
  type TestUpstream,
} from '../support/upstream.ts';

const usage = { inputTokens: 1, cachedInputTokens: 0, outputTokens: 1 };

const itemDone = (item: object): string =>
  `event: response.output_item.done\ndata: ${JSON.stringify({ type: 'response.output_item.done', item })}\n\n`;

interface AskingModel extends TestUpstream {
  /** What the model was told of its call. */
  readonly outputs: string[];
}

/** A model that makes one call, then says that it is done. */
async function startAskingModel(tool: string, args: object): Promise<AskingModel> {
  const outputs: string[] = [];
  const upstream = await startUpstream(async (request: IncomingMessage, response: ServerResponse) => {
    const body = await readBody(request);
    const { input = [] } = JSON.parse(body) as { input?: { type: string; output?: unknown }[] };
    const last = input.at(-1);
    if (last?.type === 'function_call_output') {
      outputs.push(JSON.stringify(last.output));
      const content = [{ type: 'output_text', text: 'done' }];
      sendEvents(
        response,
        itemDone({ type: 'message', id: 'm1', role: 'assistant', content }),
        completedEvent(usage),
      );
      return;
    }
    const call = {
      type: 'function_call',
      id: 'f1',
      call_id: 'c1',
      name: tool,
      arguments: JSON.stringify(args),
    };
    sendEvents(response, itemDone(call), completedEvent(usage));
  });
  return { ...upstream, outputs };
}

const outside = (job: StageJob): string => path.join(path.dirname(job.workspaceDir), 'outside.txt');
const escalated = (job: StageJob): object => ({
  cmd: `echo x > ${outside(job)}`,
  sandbox_permissions: 'require_escalated',
  justification: 'May I write outside the workspace?',
});
const idle = { conversations: [] };

describe.each(driverNames)('with %s', (name) => {
  test('a command that asks to leave the sandbox is refused, and the turn goes on', async () => {
    await using stage = await openStage(name, idle);
    const job = await stage.newJob();
    await using model = await startAskingModel('exec_command', escalated(job));

    const { result } = await stage.run(job, { provider: { baseUrl: model.baseUrl, token: 't' } });

    expect(result).toMatchObject({ status: 'completed', finalMessage: 'done' });
    expect(model.outputs).toHaveLength(1);
    await expect(access(outside(job))).rejects.toThrow();
  });

  test('a question to the user does not hold the turn up', async () => {
    await using stage = await openStage(name, idle);
    await using model = await startAskingModel('request_user_input', {
      questions: [
        {
          id: 'q',
          header: 'Colour',
          question: 'Which one?',
          options: [
            { label: 'red', description: 'r' },
            { label: 'blue', description: 'b' },
          ],
        },
      ],
    });

    const { result } = await stage.run(await stage.newJob(), {
      provider: { baseUrl: model.baseUrl, token: 't' },
    });

    expect(result).toMatchObject({ status: 'completed', finalMessage: 'done' });
    expect(model.outputs).toHaveLength(1);
  });
});

test('an approval that the app-server asks for is declined and reported, and the turn goes on', async () => {
  await using stage = await openStage('exec', idle);
  const job = await stage.newJob();
  await using model = await startAskingModel('exec_command', escalated(job));

  const { events, status } = await runAsking(stage, job, model.baseUrl);

  expect(status).toBe('completed');
  expect(events).toContainEqual({
    type: 'agent.declined',
    request: 'item/commandExecution/requestApproval',
    reason: expect.stringContaining(outside(job)),
  });
  expect(events).toContainEqual(expect.objectContaining({ type: 'agent.message', text: 'done' }));
  await expect(access(outside(job))).rejects.toThrow();
});

/** A turn that may ask, which our drivers never allow: what an app-server of another version or setting could do. */
async function runAsking(
  stage: CodexStage,
  job: StageJob,
  baseUrl: string,
): Promise<{ events: JobEventBody[]; status: string }> {
  await writeFile(path.join(job.workspaceDir, 'page.html'), '');
  await using server = await startAppServer(stage.options);
  const client = await server.supervisor.whenReady(AbortSignal.timeout(20_000), 20_000);
  const request = stage.request(job, { provider: { baseUrl, token: 't' } });
  const config = { ...threadConfig(request, stage.options), approval_policy: 'on-request' } as Record<
    string,
    JsonValue
  >;
  const { thread } = await client.call('thread/start', {
    cwd: job.workspaceDir,
    model: request.model,
    approvalPolicy: 'on-request',
    config,
  });
  const events: JobEventBody[] = [];
  using watch = new ThreadWatch({ workspaceDir: job.workspaceDir, onEvent: (event) => events.push(event) });
  using _listening = client.listen(thread.id, watch);
  const input = [{ type: 'text' as const, text: 'go', text_elements: [] }];
  const { turn } = await client.call('turn/start', { threadId: thread.id, input });
  const ended = await watch.turnEnded(turn.id);
  return { events, status: ended.status };
}
