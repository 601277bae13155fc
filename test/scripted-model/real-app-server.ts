import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createLineSplitter } from '../../src/runtime/line-splitter.ts';
import { codexBinary } from './real-codex.ts';
import type { CodexPlace } from './real-codex.ts';

export interface TurnEnd {
  readonly status: string;
  readonly error: { readonly message: string; readonly codexErrorInfo: unknown } | null;
  /** The `codexErrorInfo` of every `error` notification of the turn that said it would retry. */
  readonly retried: readonly unknown[];
}

export interface RealAppServer extends AsyncDisposable {
  /** One turn in a new thread, with these settings for its provider. */
  turn(prompt: string, provider?: Readonly<Record<string, unknown>>): Promise<TurnEnd>;
}

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: Params;
  readonly result?: { readonly thread?: { readonly id: string } };
  readonly error?: unknown;
}

interface Params {
  readonly threadId?: string;
  readonly willRetry?: boolean;
  readonly error?: { readonly codexErrorInfo: unknown };
  readonly turn?: Omit<TurnEnd, 'retried'>;
}

/** The smallest client that can run turns; what the tests of the scripted model need and no more. */
export async function startRealAppServer(place: CodexPlace): Promise<RealAppServer> {
  const child = spawn(codexBinary(), ['app-server'], {
    cwd: place.workspace,
    env: place.env,
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const closed = once(child, 'close');
  const calls = new Map<number, PromiseWithResolvers<Message>>();
  const turns = new Map<
    string,
    { readonly end: PromiseWithResolvers<TurnEnd>; readonly retried: unknown[] }
  >();
  const onLine = (line: string): void => {
    const message = JSON.parse(line) as Message;
    if (message.id !== undefined) calls.get(message.id)?.resolve(message);
    const turn = turns.get(message.params?.threadId ?? '');
    if (message.method === 'error' && message.params?.willRetry === true) {
      turn?.retried.push(message.params.error?.codexErrorInfo);
    }
    if (message.method === 'turn/completed' && message.params?.turn) {
      turn?.end.resolve({ ...message.params.turn, retried: turn.retried });
    }
  };
  const lines = createLineSplitter({ onLine, onOverlong: onLine });
  child.stdout.on('data', (chunk: Buffer) => {
    lines.push(chunk);
  });
  child.once('exit', () => {
    const gone = new Error('codex app-server has ended');
    for (const call of calls.values()) call.reject(gone);
    for (const { end } of turns.values()) end.reject(gone);
  });
  let lastId = 0;
  const call = async (method: string, params: object): Promise<Message> => {
    const id = (lastId += 1);
    const answer = Promise.withResolvers<Message>();
    calls.set(id, answer);
    child.stdin.write(`${JSON.stringify({ id, method, params })}\n`);
    const message = await answer.promise;
    if (message.error !== undefined) throw new Error(`${method}: ${JSON.stringify(message.error)}`);
    return message;
  };
  await call('initialize', { clientInfo: { name: 'test', title: 'test', version: '1' } });
  child.stdin.write(`${JSON.stringify({ method: 'initialized' })}\n`);
  return {
    async turn(prompt, provider) {
      const config = provider && { model_provider: 'job', model_providers: { job: provider } };
      const started = await call('thread/start', {
        cwd: place.workspace,
        approvalPolicy: 'never',
        sandbox: 'danger-full-access',
        ...(config && { config }),
      });
      const threadId = started.result?.thread?.id ?? '';
      const end = Promise.withResolvers<TurnEnd>();
      turns.set(threadId, { end, retried: [] });
      await call('turn/start', { threadId, input: [{ type: 'text', text: prompt }] });
      return await end.promise;
    },
    async [Symbol.asyncDispose]() {
      child.stdin.end();
      await closed;
    },
  };
}
