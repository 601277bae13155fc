/**
 * Stands in for `codex app-server` where the real one does not misbehave on demand. Its first argument says how it starts, the text of a
 * turn says what that turn does.
 */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, writeFileSync, writeSync } from 'node:fs';
import { createLineSplitter } from '../../src/runtime/line-splitter.ts';

interface Message {
  readonly id?: number | string;
  readonly method?: string;
  readonly params?: {
    readonly threadId?: string;
    readonly turnId?: string;
    readonly input?: readonly { readonly text?: string }[];
  };
}

const [part = 'good', flagFile = '', ...rest] = process.argv.slice(2);
const end = (code: number): never => process.exit(code);
const send = (message: unknown): void => {
  process.stdout.write(`${JSON.stringify(message)}\n`);
};

if (rest.includes('--version')) {
  process.stdout.write('codex-cli 0.169.0\n');
  end(0);
}
if (part === 'exits-at-start') {
  writeSync(2, 'cannot read the configuration\n');
  end(3);
}
/** Fails until its flag file is there, then is good. */
if (part === 'fails-once' && !existsSync(flagFile)) {
  writeFileSync(flagFile, '');
  end(1);
}
/** Is good once; those that are started after it fail. */
if (part === 'fails-second') {
  if (existsSync(flagFile)) end(1);
  writeFileSync(flagFile, '');
}
if (part === 'floods-stderr') {
  const flood = Buffer.from(`${'e'.repeat(255)}\n`.repeat(1024));
  setInterval(() => process.stderr.write(flood), 5);
}
if (part === 'writes-secret') writeSync(2, 'codex wrote this: sk-0123456789abcdef0123456789abcdef\n');
if (part === 'ignores-sigterm') process.on('SIGTERM', () => undefined);
if (part === 'leaves-grandchild') {
  spawn('/bin/sleep', ['300'], { detached: true, stdio: 'inherit' }).unref();
}

/** In a namespace of its own every process has the same pid. */
const self = randomUUID().slice(0, 8);
let threads = 0;
let turns = 0;
/** Only the newest thread is known: those that waited for their turn are lost. */
const isLost = (threadId: string): boolean =>
  part === 'loses-threads' && threadId !== `thread-${self}-${threads}`;
let initializeId: Message['id'];

const delta = (threadId: string, text: string, itemId = 'item-1'): void => {
  send({ method: 'item/agentMessage/delta', params: { threadId, turnId: 'turn', itemId, delta: text } });
};
const complete = (threadId: string, turnId: string, status = 'completed'): void => {
  const counts = {
    totalTokens: 15,
    inputTokens: 10,
    cachedInputTokens: 0,
    cacheWriteInputTokens: 0,
    outputTokens: 5,
    reasoningOutputTokens: 0,
  };
  const tokenUsage = { total: counts, last: counts, modelContextWindow: null };
  send({ method: 'thread/tokenUsage/updated', params: { threadId, turnId, tokenUsage } });
  send({
    method: 'turn/completed',
    params: { threadId, turn: { id: turnId, status, error: null, items: [] } },
  });
};

const turnsByText: Readonly<Record<string, (threadId: string, turnId: string, text: string) => void>> = {
  crash: (threadId) => {
    delta(threadId, 'half of it');
    process.stdout.write('', () => end(9));
  },
  'crash-before': () => end(9),
  hang: () => undefined,
  'hang-after-text': (threadId) => {
    delta(threadId, 'half of it');
  },
  rubbish: (threadId, turnId) => {
    process.stdout.write('Thinking…\n\u0000\u0001\n{"id":\n[1,2]\nnull\n{"id":9999,"result":1}\n');
    process.stdout.write(Buffer.from([0xff, 0xfe, 0x0a]));
    send({ method: 'item/agentMessage/delta', params: { threadId, delta: 12 } });
    send({ method: 'nobody/knows', params: { threadId } });
    delta(threadId, 'still fine');
    complete(threadId, turnId);
  },
  big: (threadId, turnId) => {
    delta(threadId, 'x'.repeat(10_000_000));
    complete(threadId, turnId);
  },
  /** Goes on when its flag file is there. */
  'waits-for-flag': (threadId, turnId) => {
    delta(threadId, 'begun ');
    const timer = setInterval(() => {
      if (!existsSync(flagFile)) return;
      clearInterval(timer);
      delta(threadId, `and ended by ${self}`);
      complete(threadId, turnId);
    }, 10);
  },
  /** Much more than a reader that does not read may leave waiting. */
  pours: (threadId, turnId) => {
    for (let said = 0; said < 6; said += 1) delta(threadId, 'x'.repeat(10_000_000));
    complete(threadId, turnId);
  },
  separators: (threadId, turnId) => {
    delta(threadId, 'one\u2028two\u2029three');
    complete(threadId, turnId);
  },
  duplicates: (threadId, turnId) => {
    delta('thread-of-nobody', 'not yours');
    delta(threadId, 'once');
    complete(threadId, turnId);
    complete(threadId, turnId);
    delta(threadId, ' too late');
  },
  /** Says the request's own lines, as bytes, cut where it wants; THREAD and TURN in them are its own. Then ends well. */
  says: (threadId, turnId, text) => {
    const { bytes, cuts } = JSON.parse(text.slice(5)) as { bytes: string; cuts: readonly number[] };
    const said = Buffer.from(bytes, 'base64').toString('latin1');
    const whole = Buffer.from(said.replaceAll('THREAD', threadId).replaceAll('TURN', turnId), 'latin1');
    let from = 0;
    for (const cut of [
      ...cuts.map((share) => Math.floor(share * whole.length)).toSorted((a, b) => a - b),
      whole.length,
    ]) {
      writeSync(1, whole.subarray(from, cut));
      from = cut;
    }
    writeSync(1, '\n');
    complete(threadId, turnId);
  },
  'unknown-request': (threadId, turnId) => {
    send({ id: 'ask-1', method: 'nobody/answers', params: { threadId } });
    waiting = () => {
      delta(threadId, 'went on');
      complete(threadId, turnId);
    };
  },
};
let waiting: (() => void) | null = null;

const answers: Readonly<Record<string, (message: Message) => void>> = {
  initialize: ({ id }) => {
    if (part === 'never-ready') return;
    if (part === 'refuses-handshake') {
      send({ id, error: { code: -32000, message: 'not today' } });
      return;
    }
    if (part === 'ready-late') {
      initializeId = id;
      const timer = setInterval(() => {
        if (!existsSync(flagFile)) return;
        clearInterval(timer);
        send({ id: initializeId, result: { userAgent: 'codex/0.169.0' } });
      }, 10);
      return;
    }
    send({ id, result: { userAgent: 'codex/0.169.0' } });
    if (part === 'crash-loop') setTimeout(() => end(7), 20);
  },
  'thread/start': ({ id }) => {
    threads += 1;
    send({ id, result: { thread: { id: `thread-${self}-${threads}`, path: null } } });
  },
  'thread/inject_items': ({ id }) => {
    send({ id, result: {} });
  },
  'thread/unsubscribe': ({ id, params }) => {
    send({ id, result: { status: 'unsubscribed' } });
    send({ method: 'thread/closed', params: { threadId: params?.threadId } });
  },
  'turn/start': ({ id, params }) => {
    const text = params?.input?.[0]?.text ?? '';
    const threadId = params?.threadId ?? '';
    if (isLost(threadId)) {
      send({ id, error: { code: -32600, message: `thread not found: ${threadId}` } });
      return;
    }
    turns += 1;
    const turnId = `turn-${turns}`;
    if (text === 'never-started') return;
    send({ id, result: { turn: { id: turnId, status: 'inProgress' } } });
    const word = text.startsWith('says ') ? 'says' : text;
    const play = Object.hasOwn(turnsByText, word) ? turnsByText[word] : undefined;
    if (play !== undefined) play(threadId, turnId, text);
    else {
      delta(threadId, `hello from ${self}`);
      complete(threadId, turnId);
    }
  },
  'turn/interrupt': ({ id, params }) => {
    if (part === 'deaf') return;
    send({ id, result: {} });
    complete(params?.threadId ?? '', params?.turnId ?? '', 'interrupted');
  },
};

const lines = createLineSplitter({
  onLine: (line) => {
    const message = JSON.parse(line) as Message;
    if (message.method === undefined) {
      waiting?.();
      waiting = null;
    } else answers[message.method]?.(message);
  },
  onOverlong: () => end(70),
});
process.stdin.on('data', (chunk: Buffer) => {
  lines.push(chunk);
});
process.stdin.on('end', () => {
  if (part === 'ignores-sigterm') setInterval(() => undefined, 60_000);
  else end(0);
});
