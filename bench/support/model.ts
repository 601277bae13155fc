import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { ScenarioInput } from '../../test/scripted-model/scenario.ts';

/** One shell command and two calls of the model: what every job of the benches does. */
export const oneCommand: ScenarioInput = {
  conversations: [
    {
      turns: [
        { commands: ['echo "<p>Open from six to one.</p>" >> about.html'] },
        {
          final: {
            text: 'Done.',
            summary: 'Added the hours.',
            files: [{ change: 'modified', path: 'about.html' }],
          },
        },
      ],
    },
  ],
};

export interface Model extends AsyncDisposable {
  readonly baseUrl: string;
}

/** The scripted model in a process of its own, so that what it uses counts on no side. */
export async function startModel(dir: string, scenario: ScenarioInput): Promise<Model> {
  const file = path.join(dir, 'scenario.json');
  await writeFile(file, JSON.stringify(scenario));
  const program = path.join(import.meta.dirname, '../../test/scripted-model/main.ts');
  const child = spawn(process.execPath, [program, '--scenario', file], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const [said] = (await Promise.race([
    once(child.stdout, 'data'),
    exited.then(() => Promise.reject(new Error('The scripted model did not start'))),
  ])) as [Buffer];
  return {
    baseUrl: said.toString().trim(),
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM');
      await exited;
    },
  };
}
