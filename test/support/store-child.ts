import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { z } from 'zod';
import { createLineSplitter } from '../../src/runtime/line-splitter.ts';

const entry = path.join(import.meta.dirname, '../children/store-child.ts');

const factSchema = z.looseObject({
  submitted: z.string().optional(),
  accepted: z.string().optional(),
  took: z.string().optional(),
  ready: z.string().optional(),
  ids: z.array(z.string()).optional(),
  created: z.number().optional(),
  done: z.array(z.string()).optional(),
  failure: z.object({ kind: z.string(), code: z.string(), message: z.string(), hint: z.string() }).optional(),
});
export type StoreFact = z.infer<typeof factSchema>;

/** A process of its own on a store's file. Killed, if it still lives, when disposed. */
export interface StoreChild extends AsyncDisposable {
  readonly process: ChildProcess;
  /** All that it has said so far. */
  readonly facts: readonly StoreFact[];
  /** The first fact that `want` accepts; rejects when the process ends without. */
  fact(want: (fact: StoreFact) => boolean): Promise<StoreFact>;
  /** Everything it said, when it has ended. */
  ended(): Promise<readonly StoreFact[]>;
}

export function startStoreChild(command: string, dbPath: string, ...args: readonly string[]): StoreChild {
  const child = spawn(process.execPath, [entry, command, dbPath, ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const facts: StoreFact[] = [];
  const waiting = new Set<() => void>();
  const splitter = createLineSplitter({
    onLine: (line) => {
      facts.push(factSchema.parse(JSON.parse(line)));
      for (const look of waiting) look();
    },
    onOverlong: () => undefined,
  });
  child.stdout.on('data', (chunk: Buffer) => {
    splitter.push(chunk);
  });
  const closed = once(child, 'close');

  return {
    process: child,
    facts,
    async fact(want) {
      const { promise, resolve, reject } = Promise.withResolvers<StoreFact>();
      const look = (): void => {
        const found = facts.find(want);
        if (found !== undefined) resolve(found);
      };
      waiting.add(look);
      look();
      void closed.then(() => {
        reject(new Error(`The store child ended; it said ${JSON.stringify(facts)}`));
      });
      try {
        return await promise;
      } finally {
        waiting.delete(look);
      }
    },
    async ended() {
      await closed;
      return facts;
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await closed;
    },
  };
}
