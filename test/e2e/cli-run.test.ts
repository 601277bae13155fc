import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { jobSchema } from '../../src/contract/job.ts';
import { jobEventSchema } from '../../src/contract/event.ts';
import { errorOf, eventsOf, jobOf, openCliStage } from '../support/cli-stage.ts';

describe('capstan run', () => {
  test('shows what happens on stderr and what came of it on stdout', async () => {
    await using stage = await openCliStage();
    const result = await stage.capstan(['run', 'Add a contact page', '--dir', 'site']);
    expect(result.code).toBe(0);
    expect(result.stderr).toMatch(/^› I look around first\.$/m);
    expect(result.stderr).toMatch(/^\$ cat index\.html$/m);
    expect(result.stderr).toMatch(/^± created contact\.html$/m);
    // The block for machines is no talk.
    expect(result.stderr).toMatch(/^› Done with it\.$/m);
    expect(result.stderr + result.stdout).not.toContain('FILES_CHANGED');
    expect(result.stderr).toMatch(
      /✓ succeeded in .*, 1 file changed\. .*capstan jobs apply [0-9a-f-]{36}\n$/,
    );
    expect(result.stdout).toMatch(/^state +succeeded$/m);
    expect(result.stdout).toMatch(/^changed +\+ contact\.html$/m);
    expect(result.stdout).toMatch(/^tokens +3000 in \(1200 cached\), 150 out$/m);
    expect(result.stdout).toMatch(/^\+<h1>Contact<\/h1>$/m);
    // Piped, nothing moves and nothing is coloured.
    expect(result.stdout + result.stderr).not.toMatch(/[\u001B\r]/);
    await expect(readFile(path.join(stage.site, 'contact.html'))).rejects.toThrow();
    expect(stage.model.problems).toEqual([]);
  });

  test('colours where that is forced, and not where NO_COLOR says so', async () => {
    await using stage = await openCliStage();
    const forced = await stage.capstan(['run', 'x', '--dir', 'site'], { env: { FORCE_COLOR: '1' } });
    expect(forced.stdout).toContain('\u001B[32m+<h1>Contact</h1>\u001B[39m');
    const refused = await stage.capstan(['jobs', 'list'], { env: { NO_COLOR: '1' } });
    expect(refused.stdout).not.toContain('\u001B');
  });

  test('with --json is one event a line, the job last', async () => {
    await using stage = await openCliStage();
    const result = await stage.capstan(['run', 'Add a contact page', '--json', '--dir', 'site']);
    expect([result.code, result.stderr]).toEqual([0, '']);
    const events = eventsOf(result).map((event) => jobEventSchema.parse(event));
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
    expect(events[0]?.type).toBe('job.accepted');
    expect(events.map(({ type }) => type)).toEqual(
      expect.arrayContaining([
        'job.phase',
        'agent.message',
        'agent.command',
        'agent.file_change',
        'agent.usage',
      ]),
    );
    expect(jobSchema.parse(jobOf(result))).toMatchObject({
      type: 'codex',
      state: 'succeeded',
      attempt: 1,
      summary: 'Added a page.',
      filesChanged: [{ path: 'contact.html', change: 'created' }],
      claimed: { files: [{ path: 'contact.html', change: 'created' }] },
      usage: { inputTokens: 3000, cachedInputTokens: 1200, outputTokens: 150 },
      agent: { name: 'codex', version: '0.169.0' },
      resumed: false,
    });
  });

  test('with --detach prints the id and leaves the job to a worker', async () => {
    await using stage = await openCliStage();
    const result = await stage.capstan(['run', 'Add a contact page', '--detach', '--dir', 'site'], {
      env: { npm_command: 'exec' },
    });
    expect([result.code, result.stdout]).toEqual([0, expect.stringMatching(/^[0-9a-f-]{36}\n$/)]);
    expect(result.stderr).toBe(
      'Accepted. No worker is there to take it yet; start one with: npx capstan worker\n',
    );
    const id = result.stdout.trim();
    const shown = await stage.capstan(['jobs', 'show', id]);
    expect(shown.stdout).toMatch(/^prompt +Add a contact page$/m);
    const worker = stage.start(['worker', '--type', 'codex']);
    await expect
      .poll(async () => (await stage.capstan(['jobs', 'show', id])).stdout, { timeout: 30_000 })
      .toMatch(/^state +succeeded$/m);
    const exited = once(worker, 'exit');
    worker.kill('SIGTERM');
    await exited;
  });

  test('takes the prompt from stdin', async () => {
    await using stage = await openCliStage();
    const result = await stage.capstan(['run', '-', '--json', '--dir', 'site'], {
      stdin: 'Add a page\nfor ünïcode\n',
    });
    expect([result.code, jobOf(result).input]).toEqual([
      0,
      expect.objectContaining({ prompt: 'Add a page\nfor ünïcode' }),
    ]);
  });

  test('stops reading stdin when it is interrupted', async () => {
    await using stage = await openCliStage();
    const child = stage.start(['run', '-', '--dir', 'site']);
    child.stdin?.write('half a pro');
    // It reads before it opens anything: there is nothing else to wait for.
    await expect.poll(() => child.stdin?.writableLength).toBe(0);
    const ended = once(child, 'exit');
    child.kill('SIGINT');
    const [code, signal] = (await ended) as [number | null, string | null];
    // Before the handlers are there the signal itself ends it.
    expect([130, 'SIGINT']).toContain(code ?? signal);
  });

  test('with --apply puts the change into the folder; a folder that changed meanwhile stays as it is', async () => {
    await using stage = await openCliStage();
    const applied = await stage.capstan(['run', 'x', '--dir', 'site', '--apply']);
    expect([applied.code, applied.stderr]).toEqual([
      0,
      expect.stringContaining('The change is in your folder.'),
    ]);
    expect(await readFile(path.join(stage.site, 'contact.html'), 'utf8')).toBe('<h1>Contact</h1>\n');

    stage.model.setScenario({
      conversations: [
        {
          turns: [
            { patch: '*** Begin Patch\n*** Add File: b.html\n+b\n*** End Patch' },
            { text: 'Done.', gates: { end: 'late' } },
          ],
        },
      ],
    });
    stage.model.hold('late');
    const running = stage.capstan(['run', 'x', '--dir', 'site', '--apply', '--json']);
    await stage.model.waitAtGate('late');
    await writeFile(path.join(stage.site, 'index.html'), 'changed by hand\n');
    stage.model.release('late');
    const refused = await running;
    expect([refused.code, errorOf(refused).code]).toEqual([1, 'folder_changed']);
    expect(jobOf(refused)).toMatchObject({
      state: 'succeeded',
      artifacts: expect.arrayContaining([expect.objectContaining({ name: 'changes.patch' })]),
    });
    await expect(readFile(path.join(stage.site, 'b.html'))).rejects.toThrow();
  });

  test('with a check that fails is a failed job, exit 1', async () => {
    await using stage = await openCliStage();
    const result = await stage.capstan([
      'run',
      'x',
      '--dir',
      'site',
      '--check',
      'test -f contact.html',
      '--check',
      'echo what is wrong; false',
    ]);
    expect(result.code).toBe(1);
    expect(result.stdout).toMatch(/^check +passed {2}test -f contact\.html$/m);
    expect(result.stdout).toMatch(/^check +failed {2}echo what is wrong; false\n +what is wrong$/m);
    expect(result.stderr).toMatch(/✗ failed in .*$/m);
  });

  test('makes the output of a hostile agent harmless', async () => {
    const title = '\u001B]0;owned\u0007';
    await using stage = await openCliStage({
      conversations: [
        {
          turns: [
            { text: `${title}\u001B[2Jhello\u202E\r\nFILES`, commands: [`printf '${title}'`] },
            { final: { summary: `${title}done\u009B2J`, files: [] } },
          ],
        },
      ],
    });
    const result = await stage.capstan(['run', 'x', '--dir', 'site', '--check', 'printf "\\033[2J"; false']);
    const shown = result.stdout + result.stderr;
    expect(shown).toContain('hello');
    expect(shown).toMatch(/^summary +done$/m);
    expect(shown).not.toMatch(/[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u202E]/);
    const json = await stage.capstan(['jobs', 'list', '--json']);
    expect(json.stdout).not.toMatch(/[\u0000-\u0009\u000B-\u001F\u007F-\u009F]/);
  });

  test('waits for a parked job whose limit resets within the time that it has', async () => {
    await using stage = await openCliStage({
      conversations: [
        { turns: [{ fault: 'usage_limit', resetsInS: 2, times: 1 }, { text: 'Now it works.' }] },
      ],
    });
    const result = await stage.capstan(['run', 'x', '--json', '--dir', 'site', '--timeout', '60s']);
    expect([result.code, jobOf(result)]).toEqual([
      0,
      expect.objectContaining({ state: 'succeeded', attempt: 2 }),
    ]);
    expect(eventsOf(result).map(({ type }) => type)).toContain('job.parked');
  });

  test('whose reader goes away stops the job instead of leaving it running', async () => {
    await using stage = await openCliStage({
      conversations: [{ turns: [{ fault: 'never_ending', command: 'echo again' }] }],
    });
    const child = stage.start(['run', 'x', '--json', '--dir', 'site']);
    await once(child.stdout ?? child, 'data');
    child.stdout?.destroy();
    expect(await once(child, 'exit')).toEqual([141, null]);
    const { items } = JSON.parse((await stage.capstan(['jobs', 'list', '--json'])).stdout) as {
      items: unknown[];
    };
    expect(items).toMatchObject([{ state: 'cancelled' }]);
  });
});
