/**
 * A small JSON-lines worker that misbehaves as its first argument says. Whatever the part, it answers `initialize` unless the part
 * is not to, and ends when its stdin ends unless the part is not to.
 */
import { spawn } from 'node:child_process';
import { writeSync } from 'node:fs';
import { createLineSplitter } from '../../src/runtime/line-splitter.ts';

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: { readonly code?: number; readonly bytes?: number };
}

const part = process.argv[2] ?? 'good';
const send = (message: unknown): void => {
  process.stdout.write(`${JSON.stringify(message)}\n`);
};
const end = (code: number): void => {
  process.exit(code);
};
/** A process that leaves the session and outlives its parent, with the parent's pipes or without. */
const leaveBehind = (stdio: 'inherit' | 'ignore'): number => {
  const child = spawn('/bin/sleep', ['300'], { detached: true, stdio });
  child.unref();
  return child.pid ?? 0;
};

const atStart: Readonly<Record<string, () => void>> = {
  'exits-at-start': () => {
    writeSync(2, 'cannot open the database\n');
    end(3);
  },
  'floods-stderr': () => {
    const megabyte = Buffer.alloc(1024 * 1024, 'e');
    for (let turn = 0; turn < 8; turn += 1) writeFully(2, megabyte);
  },
  'emits-rubbish': () => {
    process.stdout.write('Starting up…\n\u0000\u0001\n{"id":\n[1,2]\nnull\n{"id":77,"result":1}\n');
    process.stdout.write(Buffer.from([0xff, 0xfe, 0x0a]));
  },
  'ignores-sigterm': () => process.on('SIGTERM', () => undefined),
  'ends-on-sigterm': () => process.on('SIGTERM', () => end(0)),
};

const keepsGoing = new Set(['ignores-sigterm', 'ends-on-sigterm']);
let initializeId: number | undefined;

const onRequest: Readonly<Record<string, (message: Message) => void>> = {
  initialize: ({ id }) => {
    if (part === 'never-ready') return;
    if (part === 'exits-in-handshake') {
      writeSync(2, 'the handshake broke it\n');
      end(4);
    }
    if (part === 'refuses-handshake') {
      send({ id, error: { code: -32000, message: 'not today' } });
      return;
    }
    if (part === 'ready-late') {
      initializeId = id;
      return;
    }
    send({ id, result: { part } });
    if (part === 'emits-rubbish') send({ id, result: 'twice' });
    if (part === 'crashes-when-ready') end(9);
  },
  release: () => send({ id: initializeId, result: { part } }),
  crash: ({ params }) => end(params?.code ?? 1),
  echo: ({ id, params }) => send({ id, result: params }),
  separators: ({ id }) => {
    send({ method: 'note', params: 'one\u2028two\u2029three' });
    // Unescaped on the wire, as Codex writes them: JSON.stringify leaves them alone.
    send({ id, result: 'one\u2028two\u2029three' });
  },
  big: ({ id, params }) => send({ id, result: 'x'.repeat(params?.bytes ?? 0) }),
  ask: () => send({ id: 'ask-1', method: 'approval/request', params: {} }),
  'leave-behind': ({ id }) => send({ id, result: leaveBehind('ignore') }),
  'leave-behind-with-pipes': ({ id }) => send({ id, result: leaveBehind('inherit') }),
  /** Reads no more: what is sent from now on piles up. */
  'stop-reading': ({ id }) => {
    process.stdin.pause();
    send({ id, result: null });
    setInterval(() => undefined, 60_000);
  },
  'who-am-i': ({ id }) => send({ id, result: { pid: process.pid, env: process.env, cwd: process.cwd() } }),
};

const lines = createLineSplitter({
  onLine: (line) => {
    const message = JSON.parse(line) as Message & { readonly result?: unknown; readonly error?: unknown };
    if (message.method === undefined) send({ method: 'answered', params: message });
    else onRequest[message.method]?.(message);
  },
  onOverlong: () => end(70),
});

atStart[part]?.();
process.stdin.on('data', (chunk: Buffer) => lines.push(chunk));
process.stdin.on('end', () => {
  if (keepsGoing.has(part)) setInterval(() => undefined, 60_000);
  else end(0);
});

/** Pipes may be non-blocking: go on until all is written. */
function writeFully(descriptor: number, bytes: Buffer): void {
  for (let at = 0; at < bytes.length;) {
    try {
      at += writeSync(descriptor, bytes, at);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
    }
  }
}
