import { chmod, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { tempDir } from './temp-dir.ts';

export interface ScriptedAppServer extends AsyncDisposable {
  /** What CODEX_BIN is to be. */
  readonly bin: string;
  /** For parts that wait for it: makes the flag file. */
  raiseFlag(): Promise<void>;
}

/** A program that stands in for Codex and behaves as its part says; see test/children/app-server.ts. */
export async function scriptedAppServer(part: string): Promise<ScriptedAppServer> {
  const dir = await tempDir();
  const bin = dir.join('codex');
  const child = path.join(import.meta.dirname, '../children/app-server.ts');
  const command = [process.execPath, '--disable-warning=ExperimentalWarning', child, part, dir.join('flag')];
  await writeFile(bin, `#!/bin/sh\nexec ${command.map((word) => `'${word}'`).join(' ')} "$@"\n`);
  await chmod(bin, 0o755);
  return {
    bin,
    raiseFlag: () => writeFile(dir.join('flag'), ''),
    [Symbol.asyncDispose]: () => dir[Symbol.asyncDispose](),
  };
}
