import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import type { ScenarioInput } from '../scripted-model/scenario.ts';
import { processesIn } from './support/processes.ts';
import { openStage } from './support/stage.ts';
import { prompt } from './support/steps.ts';

const providerKey = 'sk-proj-the0provider0key0of0this0test0abc';

/** The agent prints all that it can reach, and the user's own copy of the key, which lies in the folder that it works on. */
const scenario: ScenarioInput = {
  conversations: [
    {
      when: prompt,
      turns: [
        {
          commands: ['env; cat .env; cat /proc/*/environ /proc/*/cmdline 2>/dev/null | tr "\\0" "\\n"; true'],
        },
        { text: `I found ${providerKey} in .env.`, commands: ['touch here'], gates: { start: 'look' } },
        {
          final: {
            text: `The key is ${providerKey}.`,
            summary: `Found ${providerKey}.`,
            files: [{ change: 'created', path: 'here' }],
          },
        },
      ],
    },
  ],
};

test.each(['app-server', 'exec'])(
  'the provider key is in no process of the agent, no file, no log and no event: %s',
  async (driver) => {
    await using stage = await openStage(scenario);
    stage.model.setAcceptedKeys([providerKey]);
    await writeFile(path.join(stage.site, '.env'), `OPENAI_API_KEY=${providerKey}\n`);
    stage.model.hold('look');
    const worker = await stage.worker({
      OPENAI_API_KEY: providerKey,
      CAPSTAN_CODEX__DRIVER: driver,
      CAPSTAN_LOG__LEVEL: 'trace',
    });
    const id = await stage.submit();
    await stage.model.waitAtGate('look');

    const processes = processesIn(stage.dataDir).filter(({ pid }) => pid !== worker.pid);
    expect(processes.length).toBeGreaterThan(0);
    for (const { args, environment } of processes)
      expect(args.join(' ') + environment).not.toContain(providerKey);
    stage.model.release('look');
    expect(await stage.ended(id)).toMatchObject({ state: 'succeeded' });
    await stage.cleaned(id);

    expect(JSON.stringify(await stage.job(id))).not.toContain(providerKey);
    expect(JSON.stringify(await stage.events(id))).not.toContain(providerKey);
    expect(worker.said()).not.toContain(providerKey);
    // Codex's own memory of the thread, with what the agent read, goes with the process.
    worker.kill('SIGTERM');
    expect(await worker.exited).toEqual({ code: 0, signal: null });
    const files = await filesIn(stage.dataDir);
    expect(files.length).toBeGreaterThan(3);
    for (const file of files) {
      expect((await readFile(file)).includes(providerKey), `${file} holds the key`).toBe(false);
    }
    // The proxy did hand it to the provider: the model takes no other.
    const asked = stage.model.requests.filter(
      ({ headers }) => headers.authorization === `Bearer ${providerKey}`,
    );
    expect(asked.length).toBeGreaterThanOrEqual(3);
  },
);

async function filesIn(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
}
