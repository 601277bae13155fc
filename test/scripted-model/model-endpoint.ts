import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Gates } from './gates.ts';
import { lastPrompt } from './model-request.ts';
import type { ModelRequest } from './model-request.ts';
import type { RecordedRequest, WaitableLog } from './request-log.ts';
import { badRequest, httpFault, noWebsocket, unauthorized } from './responses-fault.ts';
import type { HttpFault } from './responses-fault.ts';
import { bearerToken, parseResponsesRequest } from './responses-request.ts';
import { streamPlan } from './responses-stream.ts';
import type { ChosenTurn, Script } from './choose-turn.ts';
import { sendStream } from './send-stream.ts';
import type { UsageTotals } from './start-scripted-model.ts';

export interface EndpointParts {
  readonly gates: Gates;
  readonly log: WaitableLog<RecordedRequest>;
  readonly onIdle: () => void;
  readonly script: Script;
}

const maxProblems = 100;
const maxBodyBytes = 256_000_000;
const models = ['gpt-5.5'];

/** Answers the requests of the Responses protocol by the script. */
export class ModelEndpoint {
  script: Script;
  acceptedKeys: readonly string[] | undefined;
  openStreams = 0;
  readonly problems: string[] = [];
  readonly usage: UsageTotals = { replies: 0, input: 0, cached: 0, output: 0, reasoning: 0 };
  readonly #gates: Gates;
  readonly #log: WaitableLog<RecordedRequest>;
  readonly #onIdle: () => void;

  constructor({ gates, log, onIdle, script }: EndpointParts) {
    this.#onIdle = onIdle;
    this.#gates = gates;
    this.#log = log;
    this.script = script;
  }

  /** Never rejects: a client that leaves in the middle is no fault of the model. */
  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const gone = new AbortController();
    response.on('close', () => {
      gone.abort(new Error('the client left'));
    });
    this.openStreams += 1;
    try {
      await this.#answer(request, response, gone.signal);
    } catch (error) {
      if (!gone.signal.aborted) {
        this.#problem(error instanceof Error ? error.message : String(error));
        if (!response.headersSent) sendJson(response, badRequest(String(error)));
        else response.destroy();
      }
    } finally {
      this.openStreams -= 1;
      if (this.openStreams === 0) this.#onIdle();
    }
  }

  async #answer(request: IncomingMessage, response: ServerResponse, signal: AbortSignal): Promise<void> {
    const text = await readText(request);
    const path = new URL(request.url ?? '/', 'http://model').pathname;
    const isCall = request.method === 'POST' && path === '/v1/responses';
    const body: unknown = isCall ? JSON.parse(text) : text;
    const call = isCall ? parseResponsesRequest(body, request.headers) : undefined;
    const refusal = this.#refusal(request);
    const chosen = call && !refusal ? this.script.next(call) : undefined;
    this.#log.add({
      at: Date.now(),
      method: request.method ?? '',
      path,
      headers: request.headers,
      body,
      token: bearerToken(request.headers),
      threadId: call?.threadId ?? '',
      prompt: call ? lastPrompt(call) : '',
      conversation: chosen?.conversation ?? '',
      turn: chosen?.index ?? -1,
    });
    if (refusal) sendJson(response, refusal);
    else if (request.headers.upgrade !== undefined) sendJson(response, noWebsocket());
    else if (call && chosen) await this.#reply(call, chosen, { response, signal });
    else if (request.method === 'GET' && path === '/v1/models') sendJson(response, modelList());
    else sendJson(response, { ...badRequest(`no route ${request.method ?? ''} ${path}`), status: 404 });
  }

  async #reply(
    call: ModelRequest,
    chosen: ChosenTurn,
    { response, signal }: { readonly response: ServerResponse; readonly signal: AbortSignal },
  ): Promise<void> {
    const { turn, index, problem } = chosen;
    if (problem !== undefined) this.#problem(problem);
    if (turn.fault === 'hang') {
      await this.#gates.pass(turn.gate, signal, 'held');
      await this.#reply(call, this.script.next(call, index + 1), { response, signal });
      return;
    }
    if (turn.fault === undefined && turn.gates.start !== undefined) {
      await this.#gates.pass(turn.gates.start, signal);
    }
    const fault = turn.fault === undefined ? undefined : httpFault(turn, Date.now());
    if (fault) {
      sendJson(response, fault);
      return;
    }
    const plan = streamPlan(turn, index);
    await sendStream(response, plan, { gates: this.#gates, signal });
    if (plan.usage) this.#count(plan.usage);
  }

  #refusal(request: IncomingMessage): HttpFault | undefined {
    const token = bearerToken(request.headers);
    return this.acceptedKeys && !this.acceptedKeys.includes(token) ? unauthorized(token) : undefined;
  }

  #count(usage: Omit<UsageTotals, 'replies'>): void {
    this.usage.replies += 1;
    this.usage.input += usage.input;
    this.usage.cached += usage.cached;
    this.usage.output += usage.output;
    this.usage.reasoning += usage.reasoning;
  }

  #problem(text: string): void {
    if (this.problems.length < maxProblems) this.problems.push(text);
  }
}

async function readText(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBodyBytes) throw new RangeError(`the body is larger than ${String(maxBodyBytes)} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function sendJson(response: ServerResponse, { status, headers, body }: HttpFault): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    ...headers,
  });
  response.end(text);
}

function modelList(): HttpFault {
  const data = models.map((id) => ({ id, object: 'model', created: 1_770_000_000, owned_by: 'openai' }));
  return { status: 200, headers: {}, body: { object: 'list', data } };
}
