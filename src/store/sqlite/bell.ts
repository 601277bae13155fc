import { closeSync, fstatSync, openSync, statSync, unwatchFile, watch, watchFile, writeSync } from 'node:fs';
import type { FSWatcher } from 'node:fs';
import { join } from 'node:path';
import type { StoreTopic } from '../../domain/store.ts';

const fileNames: Readonly<Record<StoreTopic, string>> = { jobs: 'bell', events: 'bell.events' };
const byte = Buffer.from('.');
/** Only where the system has no watch left to give. */
const lookEveryMs = 500;

/**
 * Wakes whoever waits for commits of one topic, in this process and the others on the machine, by a byte written to a file in the
 * data folder. May ring without cause; never misses: a listener that subscribes and then looks sees every commit.
 */
export class Bell implements Disposable {
  readonly #path: string;
  readonly #listeners = new Set<() => void>();
  #file: { readonly fd: number; readonly ino: number } | null = null;
  #watcher: FSWatcher | 'looking' | null = null;
  #watchedIno = 0;
  #calling = false;

  constructor(folder: string, topic: StoreTopic) {
    this.#path = join(folder, fileNames[topic]);
  }

  /** After a commit. A bell that cannot be rung leaves the others to their slow poll: it must not fail what is committed. */
  ring(): void {
    this.#callSoon();
    try {
      writeSync(this.#openFile(), byte, 0, 1, 0);
    } catch (error) {
      if (!(error instanceof Error && 'syscall' in error)) throw error;
      this.#closeFile();
    }
  }

  subscribe(listener: () => void): () => void {
    const own = (): void => {
      listener();
    };
    this.#listeners.add(own);
    if (this.#watcher === null) this.#arm();
    return () => {
      this.#listeners.delete(own);
      if (this.#listeners.size === 0) this.#disarm();
    };
  }

  [Symbol.dispose](): void {
    this.#listeners.clear();
    this.#disarm();
    this.#closeFile();
  }

  /** Once a turn of the event loop, however often it rings. */
  #callSoon(): void {
    if (this.#calling || this.#listeners.size === 0) return;
    this.#calling = true;
    setImmediate(() => {
      this.#calling = false;
      for (const listener of [...this.#listeners]) listener();
    });
  }

  #arm(): void {
    try {
      this.#openFile();
      this.#watchedIno = this.#file?.ino ?? 0;
      const watcher = watch(this.#path, (event) => {
        // A deleted file that someone still holds open is not told of as deleted: only its link count changes.
        if (event === 'rename' || this.#currentIno() !== this.#watchedIno) this.#rearm();
        this.#callSoon();
      });
      watcher.on('error', () => {
        this.#rearm();
      });
      this.#watcher = watcher;
    } catch (error) {
      if (!(error instanceof Error && 'syscall' in error)) throw error;
      this.#watcher = 'looking';
      watchFile(this.#path, { interval: lookEveryMs }, () => {
        this.#callSoon();
      });
    }
  }

  /** The file was deleted or replaced: watch the one that is there now, and look, because a ring may have gone to neither. */
  #rearm(): void {
    this.#disarm();
    if (this.#listeners.size === 0) return;
    this.#arm();
    this.#callSoon();
  }

  #disarm(): void {
    if (this.#watcher === 'looking') unwatchFile(this.#path);
    else this.#watcher?.close();
    this.#watcher = null;
  }

  /** The open file, if it is still the one that the path names. */
  #openFile(): number {
    const there = this.#currentIno();
    if (this.#file !== null && this.#file.ino === there) return this.#file.fd;
    this.#closeFile();
    // Not 'a': on Linux an appending descriptor ignores the position, and the file would grow.
    const fd = openSync(this.#path, there === null ? 'w' : 'r+', 0o600);
    this.#file = { fd, ino: fstatSync(fd).ino };
    return fd;
  }

  #currentIno(): number | null {
    return statSync(this.#path, { throwIfNoEntry: false })?.ino ?? null;
  }

  #closeFile(): void {
    if (this.#file !== null) closeSync(this.#file.fd);
    this.#file = null;
  }
}
