import { appendFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { errorOf, jobOf, openCliStage, type CliStage } from '../support/cli-stage.ts';

const key = 'sk-proj-the0key0that0lies0in0the0project';

/** The agent looks for the key wherever a command of its own can look, then makes a file. */
async function openKeyStage(command = ''): Promise<CliStage> {
  const stage = await openCliStage();
  stage.model.setAcceptedKeys([key]);
  const places = [
    '.env',
    'conf/.env.local',
    'keep.env',
    path.join(stage.site, '.env'),
    path.join(stage.site, 'conf/.env.local'),
    path.join(stage.dir.path, 'home/.codex/auth.json'),
  ];
  stage.model.setScenario({
    conversations: [
      {
        turns: [
          {
            commands: [
              `cat ${places.map((place) => `'${place}'`).join(' ')}; env; cat /proc/*/environ | tr "\\0" "\\n"; ls -a; ${command} touch made; true`,
            ],
          },
          { text: 'done' },
        ],
      },
    ],
  });
  return stage;
}

/** All that the model was told, which is all that the agent came to know: unlike events, it is not redacted. */
const told = (stage: CliStage): string => JSON.stringify(stage.model.requests.map(({ body }) => body));

describe.each(['app-server', 'exec'])('with %s', (driver) => {
  const settings = { CAPSTAN_CODEX__DRIVER: driver };

  test("a key in the project's environment files is neither in the agent's copy nor readable at its own place", async () => {
    await using stage = await openKeyStage();
    await mkdir(path.join(stage.site, 'conf'));
    await writeFile(path.join(stage.site, '.env'), `OPENAI_API_KEY=${key}\n`);
    await writeFile(path.join(stage.site, 'conf/.env.local'), `OTHER=1\nMODEL_KEY="${key}"\n`);
    await writeFile(path.join(stage.site, 'keep.env'), 'COLOUR=the-colour-blue\n');
    await mkdir(path.join(stage.dir.path, 'home/.codex'), { recursive: true });
    await writeFile(path.join(stage.dir.path, 'home/.codex/auth.json'), '{"a":"the-users-login"}');

    const result = await stage.capstan(['run', 'look', '--json', '--apply'], {
      env: { ...settings, OPENAI_API_KEY: undefined },
      cwd: stage.site,
    });

    const job = jobOf(result);
    expect([job.state, job.filesChanged]).toEqual(['succeeded', [{ path: 'made', change: 'created' }]]);
    expect(told(stage)).toContain('the-colour-blue');
    expect(told(stage)).not.toContain(key);
    expect(told(stage)).not.toContain('the-users-login');
    expect(job.warnings.join()).toMatch(/Left out of the agent's copy.*: \.env, conf\/\.env\.local\./);
    // The change is put in place beside the files that the copy did not have.
    expect(result.code).toBe(0);
    expect((await readdir(stage.site)).sort()).toEqual(['.env', 'conf', 'index.html', 'keep.env', 'made']);
    expect(await readFile(path.join(stage.site, '.env'), 'utf8')).toContain(key);
    expect(stage.model.problems).toEqual([]);
  });
});

test('a key in any other file is refused before a job is accepted, and the file is named', async () => {
  await using stage = await openKeyStage();
  await writeFile(path.join(stage.site, 'client.js'), `const key = '${key}';\n`);
  // Also where it lies across two of the pieces in which a large file is read.
  await writeFile(path.join(stage.site, 'large.bin'), 'x'.repeat(3 * 65_536 - 7));
  await appendFile(path.join(stage.site, 'large.bin'), key + 'y'.repeat(400_000));

  const result = await stage.capstan(['run', 'look', '--json', '--dir', 'site'], {
    env: { OPENAI_API_KEY: key },
  });

  expect([result.code, result.stdout]).toEqual([2, '']);
  expect(errorOf(result)).toMatchObject({ kind: 'user', code: 'source_holds_key' });
  expect(errorOf(result).message).toContain('"client.js", "large.bin"');
  expect(result.stderr).not.toContain(key);
  expect(stage.model.requests.filter(({ method }) => method === 'POST')).toEqual([]);
});

test("an environment file of the agent's own does not replace the one that it was not shown", async () => {
  await using stage = await openKeyStage('echo A=1 > .env;');
  await writeFile(path.join(stage.site, '.env'), `OPENAI_API_KEY=${key}\n`);

  const result = await stage.capstan(['run', 'look', '--dir', 'site', '--apply', '--json'], {
    env: { OPENAI_API_KEY: key },
  });

  expect(result.code).toBe(1);
  expect(errorOf(result)).toMatchObject({ code: 'withheld_file' });
  expect(await readFile(path.join(stage.site, '.env'), 'utf8')).toContain(key);
});

test('a worker whose key the source holds does not begin, whoever accepted the job', async () => {
  await using stage = await openKeyStage();
  await writeFile(path.join(stage.site, 'client.js'), `const key = '${key}';\n`);
  const input = JSON.stringify({ prompt: 'look', source: { dir: stage.site } });
  const submitted = await stage.capstan(['jobs', 'submit', 'codex', input], {
    env: { OPENAI_API_KEY: undefined },
  });
  expect(submitted.code).toBe(0);
  const id = submitted.stdout.trim();
  // The next `run` takes what lies in the queue.
  await mkdir(path.join(stage.dir.path, 'other'));
  await stage.capstan(['run', 'look', '--dir', 'other', '--json'], { env: { OPENAI_API_KEY: key } });
  const shown = await stage.capstan(['jobs', 'show', id, '--json']);
  expect(JSON.parse(shown.stdout)).toMatchObject({
    state: 'failed',
    failure: { kind: 'user', code: 'source_holds_key' },
  });
  expect(told(stage)).not.toContain(key);
});
