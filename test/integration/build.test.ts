import { execFileSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { rm, symlink, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { openBuildStage, reasonsOf, statesOf } from '../support/build-stage.ts';

const manifest = `name: Notes
jobs:
  - { type: shout, input: "notes/*.txt" }
  - { id: all, type: shout, input: book.txt, needs: [notes] }
`;
const project = { 'course.yaml': manifest, 'notes/a.txt': 'one', 'notes/b.txt': 'two', 'book.txt': 'book' };

test('a project without any settings is built; built again, nothing is made and no worker is started', async () => {
  await using stage = await openBuildStage(project);
  const first = await stage.build();
  expect(first.stderr).toBe('');
  expect(first).toMatchObject({ code: 0 });
  expect(statesOf(first)).toEqual({
    'notes:notes/a.txt': 'built',
    'notes:notes/b.txt': 'built',
    'all:book.txt': 'built',
  });
  expect(await stage.files('dist')).toEqual(['dist/book.txt', 'dist/notes/a.txt', 'dist/notes/b.txt']);
  expect(stage.read('dist/notes/a.txt')).toBe('ONE');
  await stage.quiet();
  const second = await stage.build();
  expect(second.code).toBe(0);
  expect(new Set(Object.values(statesOf(second)))).toEqual(new Set(['cached']));
  expect(second.events.map(({ type }) => type)).not.toContain('workers.used');
});

test('a tool that changed unseen fails the build once, and is asked anew the next time', async () => {
  await using stage = await openBuildStage({
    'course.yaml': 'jobs:\n  - { type: shout, input: "in/*.txt" }\n',
    'in/a.txt': 'a',
  });
  const become = async (version: string): Promise<void> => {
    const file = path.join(stage.dataDir, 'shout-version');
    await writeFile(file, version);
    await utimes(file, 1, 1);
  };
  await become('1');
  expect((await stage.build()).code).toBe(0);
  await become('2');
  await stage.write({ 'in/a.txt': 'b' });
  const failed = await stage.run(['build']);
  expect(failed.code).toBe(1);
  expect(failed.stderr).toContain('tool_changed');
  expect((await stage.build()).code).toBe(0);
  expect(stage.read('dist/in/a.txt')).toBe('B');
});

test('only what a change reaches is made again, and each is told why', async () => {
  await using stage = await openBuildStage(project);
  await stage.build();
  await stage.write({ 'notes/a.txt': 'uno' });
  const changed = await stage.build();
  expect(statesOf(changed)).toEqual({
    'notes:notes/a.txt': 'built',
    'notes:notes/b.txt': 'cached',
    'all:book.txt': 'built',
  });
  expect(reasonsOf(changed)).toMatchObject({
    'notes:notes/a.txt': 'notes/a.txt changed',
    'all:book.txt': 'needed notes changed',
  });
  // Back to what was made before: its outputs come from the job of then.
  await stage.write({ 'notes/a.txt': 'one' });
  expect(statesOf(await stage.build())).toEqual({
    'notes:notes/a.txt': 'restored',
    'notes:notes/b.txt': 'cached',
    'all:book.txt': 'restored',
  });
  expect(stage.read('dist/notes/a.txt')).toBe('ONE');
  await writeFile(path.join(stage.dataDir, 'shout-version'), '2');
  const tool = await stage.build('--explain');
  expect(reasonsOf(tool)['notes:notes/b.txt']).toBe('the tool changed: shout 1 → shout 2');
  await stage.write({ 'course.yaml': manifest.replace('"notes/*.txt"', '"notes/*.txt", mark: "- "') });
  expect(reasonsOf(await stage.build())['notes:notes/b.txt']).toBe('option mark is new');
  expect(stage.read('dist/notes/b.txt')).toBe('- TWO');
});

test('an output that is missing or was changed is put back without a job; one that nothing makes any more goes', async () => {
  await using stage = await openBuildStage(project);
  await stage.build();
  await rm(stage.join('dist/notes/a.txt'));
  await stage.write({ 'dist/notes/b.txt': 'by hand', 'dist/mine.txt': 'mine' });
  const again = await stage.build();
  expect(reasonsOf(again)).toEqual({
    'notes:notes/a.txt': 'output notes/a.txt is missing',
    'notes:notes/b.txt': 'output notes/b.txt was changed',
    'all:book.txt': 'nothing changed',
  });
  expect(again.events.map(({ type }) => type)).not.toContain('workers.used');
  expect(stage.read('dist/notes/b.txt')).toBe('TWO');
  await rm(stage.join('notes/a.txt'));
  expect((await stage.build()).code).toBe(0);
  expect(await stage.files('dist')).toEqual(['dist/book.txt', 'dist/mine.txt', 'dist/notes/b.txt']);
});

test('a job that missed a file of the project is told how to get it, also where its outputs are put back', async () => {
  await using stage = await openBuildStage(project);
  await stage.write({ 'notes/a.txt': 'warn pictures that are not there: b.txt' });
  const advice = `add "uses: 'notes/b.txt'" to the job 'notes'`;
  expect((await stage.run(['build'])).stderr).toContain(advice);
  await rm(stage.join('dist'), { recursive: true });
  expect((await stage.run(['build'])).stderr).toContain(advice);
});

test('a job that fails hides no other: those beside it are made, those after it are skipped, and exit is 1', async () => {
  await using stage = await openBuildStage({ ...project, 'notes/a.txt': 'fail', 'other.txt': 'other' });
  await stage.write({ 'course.yaml': `${manifest}  - { id: other, type: shout, input: other.txt }\n` });
  const built = await stage.run(['build']);
  expect(built.code).toBe(1);
  expect(built.stderr).toContain('notes/a.txt');
  expect(built.stderr).toContain('a.txt cannot be shouted. (user: too_quiet)');
  expect(built.stderr).toContain('next: Take out the word.');
  expect(built.stderr).toContain('skipped all: it needs notes, which was not made');
  expect(await stage.files('dist')).toEqual(['dist/notes/b.txt', 'dist/other.txt']);
  const again = await stage.build();
  expect(statesOf(again)).toEqual({
    'notes:notes/a.txt': 'failed',
    'notes:notes/b.txt': 'cached',
    'all:book.txt': 'skipped',
    'other:other.txt': 'cached',
  });
  expect(reasonsOf(again)['notes:notes/a.txt']).toBe('it failed the last time');
  await stage.write({ 'notes/a.txt': 'mended' });
  expect((await stage.build()).code).toBe(0);
});

test('quiet says failures alone; json is one event a line', async () => {
  await using stage = await openBuildStage(project);
  expect(await stage.run(['build', '--output', 'quiet'])).toMatchObject({ code: 0, stdout: '', stderr: '' });
  await stage.write({ 'notes/a.txt': 'fail' });
  const quiet = await stage.run(['build', '--output', 'quiet']);
  expect(quiet.stderr).toContain('failed notes:notes/a.txt');
  const lines = (await stage.run(['build', '--output', 'json'])).stdout.trimEnd().split('\n');
  expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({ type: 'build.finished', ok: false });
});

test('what is used beside the input is an input, too', async () => {
  await using stage = await openBuildStage({
    'course.yaml': 'jobs:\n  - { type: shout, input: "notes/*.txt", uses: "parts/**/*.txt" }\n',
    'notes/a.txt': 'a',
    'parts/deep/x.txt': 'x',
  });
  expect(statesOf(await stage.build())).toEqual({ 'notes:notes/a.txt': 'built' });
  await stage.write({ 'parts/deep/x.txt': 'y' });
  expect(reasonsOf(await stage.build())).toEqual({ 'notes:notes/a.txt': 'parts/deep/x.txt changed' });
  expect(await stage.files('dist')).toEqual(['dist/notes/a.txt']);
});

test('two tasks with the same output: the second says so', async () => {
  await using stage = await openBuildStage({
    'course.yaml': 'jobs:\n  - { type: shout, input: "notes/*.txt" }\n',
    'notes/a.txt': 'name same',
    'notes/b.txt': 'name same',
  });
  const built = await stage.build();
  expect(built.code).toBe(1);
  expect(Object.values(statesOf(built)).sort()).toEqual(['built', 'failed']);
  expect(built.stdout).toContain('output_taken');
});

test('a manifest that is wrong: every place is told, nothing is started, exit 2', async () => {
  await using stage = await openBuildStage({
    'course.yaml':
      'jobs:\n  - { type: shuot, input: "*.txt" }\n  - { id: b, type: shout, input: "none/*.txt", needs: [a] }\n',
  });
  const wrong = await stage.run(['build']);
  expect(wrong.code).toBe(2);
  expect(wrong.stderr).toContain("course.yaml:2:13: there is no job type 'shuot'; did you mean shout?");
  expect(wrong.stderr).toContain("course.yaml:3:56: needs 'a', which is no job's id");
  await stage.write({ 'course.yaml': 'jobs:\n  - { id: b, type: shout, input: "none/*.txt" }\n' });
  expect((await stage.run(['build'])).stderr).toContain("course.yaml:2:34: 'none/*.txt' fits no file");
  expect((await stage.run(['build', 'other.yaml'])).code).toBe(2);
});

test('a type that cannot start fails the build before any job, with what the worker said', async () => {
  await using stage = await openBuildStage(project);
  await writeFile(path.join(stage.dataDir, 'shout-is-missing'), '');
  const missing = await stage.run(['build']);
  expect(missing.code).toBe(2);
  expect(missing.stderr).toContain('The shout tool is not installed. (shout_missing)');
  expect(missing.stderr).toContain('next: apt-get install shout');
  await rm(path.join(stage.dataDir, 'shout-is-missing'));
  await writeFile(path.join(stage.dataDir, 'shout-crashes'), '');
  const crashes = await stage.run(['build']);
  expect(crashes.code).toBe(1);
  expect(crashes.stderr).toContain('worker_start_failed');
  expect(crashes.stderr).toContain('SIGKILL');
  await using store = await stage.store();
  expect((await store.listJobs({ limit: 10 })).items).toEqual([]);
  expect(await store.listBuilds()).toEqual([]);
});

test('without workers and without leave to start any, the build says what to do, exit 69', async () => {
  await using stage = await openBuildStage(project);
  const nobody = await stage.run(['build', '--no-auto-start']);
  expect(nobody.code).toBe(69);
  expect(nobody.stderr).toContain('No worker takes shout jobs');
  expect(nobody.stderr).toContain('capstan start-services');
  expect((await stage.run(['build'], { CAPSTAN_WORKERS__DEFAULT_WORKER_COUNT: '0' })).code).toBe(69);
});

test('what the needed jobs made lies in a job as it lies in the output, and a change of it is a reason', async () => {
  await using stage = await openBuildStage({
    'course.yaml': `jobs:
  - { type: shout, input: "notes/*.txt" }
  - { id: pages, type: shout, input: "pages/*.txt", needs: [notes] }
`,
    'notes/a.txt': 'one',
    'pages/p.txt': 'take notes/a.txt\n',
  });
  expect(await stage.build()).toMatchObject({ code: 0 });
  expect(stage.read('dist/pages/p.txt')).toBe('TAKE NOTES/A.TXT\nONE');
  await stage.write({ 'notes/a.txt': 'two' });
  expect(reasonsOf(await stage.build())['pages:pages/p.txt']).toBe('needed notes changed');
  expect(stage.read('dist/pages/p.txt')).toBe('TAKE NOTES/A.TXT\nTWO');
});

test('a needed output where the job has a file of its own is refused by name', async () => {
  await using stage = await openBuildStage({
    'course.yaml': `jobs:
  - { type: shout, input: "notes/*.txt" }
  - { id: again, type: shout, input: "notes/*.txt", format: md, needs: [notes] }
`,
    'notes/a.txt': 'one',
  });
  const built = await stage.build();
  expect(statesOf(built)).toEqual({ 'notes:notes/a.txt': 'built', 'again:notes/a.txt': 'failed' });
  expect(built.stdout).toContain('notes/a.txt is a file that the job gets, and what a needed job makes.');
});

test('--only builds the named jobs and what they need, and leaves the others as they are', async () => {
  await using stage = await openBuildStage({ ...project, 'other.txt': 'other' });
  await stage.write({ 'course.yaml': `${manifest}  - { id: other, type: shout, input: other.txt }\n` });
  expect(Object.keys(statesOf(await stage.build('--only', 'all'))).sort()).toEqual([
    'all:book.txt',
    'notes:notes/a.txt',
    'notes:notes/b.txt',
  ]);
  expect(await stage.files('dist')).not.toContain('dist/other.txt');
  expect(statesOf(await stage.build('--only', 'other,notes'))['other:other.txt']).toBe('built');
  await stage.write({ 'notes/a.txt': 'uno', 'other.txt': 'changed' });
  expect(statesOf(await stage.build('--only', 'notes'))).toEqual({
    'notes:notes/a.txt': 'built',
    'notes:notes/b.txt': 'cached',
  });
  expect(stage.read('dist/other.txt')).toBe('OTHER');
  expect(reasonsOf(await stage.build())).toMatchObject({
    'other:other.txt': 'other.txt changed',
    'all:book.txt': 'needed notes changed',
    'notes:notes/a.txt': 'nothing changed',
  });
  const unknown = await stage.run(['build', '--only', 'note']);
  expect(unknown).toMatchObject({ code: 2 });
  expect(unknown.stderr).toContain("The manifest has no job 'note'; did you mean notes?");
});

test('what only a worker could not do is told before any starts, with what can be built without it', async () => {
  await using stage = await openBuildStage(project);
  await stage.build('--only', 'notes');
  await writeFile(path.join(stage.dataDir, 'shout-is-locked'), '');
  expect(await stage.run(['build', '--only', 'notes'])).toMatchObject({ code: 0 });
  const locked = await stage.run(['build']);
  expect(locked.code).toBe(2);
  expect(locked.stderr).toContain(
    "The shout job 'notes' cannot be built. The shout tool is locked. (shout_locked)",
  );
  expect(locked.stderr).not.toContain('started');
});

test('what a job warns of is told, and outputs are as readable as other new files', async () => {
  await using stage = await openBuildStage({
    'course.yaml': 'jobs:\n  - { type: shout, input: a.txt }\n',
    'a.txt': 'warn loud',
  });
  expect((await stage.run(['build'])).stderr).toContain('! loud');
  expect(statSync(stage.join('dist/a.txt')).mode & 0o777).toBe(statSync(stage.join('a.txt')).mode & 0o777);
});

const logSchema = z.looseObject({ msg: z.string() });

/** The log lines of a build that is not in a terminal. */
function logged(stderr: string): readonly z.infer<typeof logSchema>[] {
  return stderr
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => logSchema.parse(JSON.parse(line)));
}

test('--verbose logs each worker: who asked for it when it starts, why and after how much when it stops', async () => {
  await using stage = await openBuildStage(project);
  const built = await stage.run(['build', '--verbose', '--only', 'notes'], {
    CAPSTAN_WORKERS__DEFAULT_WORKER_COUNT: '1',
  });
  const lines = logged(built.stderr);
  const started = lines.find(({ msg }) => msg === 'Worker started');
  expect(started).toMatchObject({
    level: 'info',
    type: 'shout',
    mode: 'direct',
    workerId: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
    handle: expect.stringMatching(/^\d+$/) as string,
    source: 'CAPSTAN_WORKERS__DEFAULT_WORKER_COUNT',
  });
  expect(lines.find(({ msg }) => msg === 'Worker stopped')).toMatchObject({
    workerId: started?.['workerId'],
    reason: expect.any(String) as string,
    jobsProcessed: 2,
    uptimeMs: expect.any(Number) as number,
  });
  expect(built.stderr).toMatch(/notes:notes\/a.txt is job [0-9a-f-]{36}: it was not built here before/);
  await stage.write({ 'notes/a.txt': 'again' });
  expect(logged((await stage.run(['build', '--only', 'notes'])).stderr)).toEqual([]);
});

test('progress says, for each type, who works, what waits and how long a job takes', async () => {
  await using stage = await openBuildStage(project);
  const progress = (await stage.build()).events.findLast(({ type }) => type === 'build.progress');
  expect(progress).toMatchObject({
    done: 3,
    tasks: 3,
    types: [
      { type: 'shout', activeWorkers: 1, queueDepth: 0, running: 0, averageMs: expect.any(Number) as number },
    ],
  });
});

test('a link to a file is that file: a change of it is one of the task; one that leads nowhere is told at once', async () => {
  await using stage = await openBuildStage({
    'course.yaml': 'jobs:\n  - { type: shout, input: "in/*.txt" }\n',
    'real.txt': 'one',
    'in/plain.txt': 'plain',
  });
  await symlink('../real.txt', stage.join('in/link.txt'));
  expect(await stage.build()).toMatchObject({ code: 0 });
  expect(stage.read('dist/in/link.txt')).toBe('ONE');
  await stage.write({ 'real.txt': 'two' });
  expect(statesOf(await stage.build())).toEqual({ 'in:in/link.txt': 'built', 'in:in/plain.txt': 'cached' });
  expect(stage.read('dist/in/link.txt')).toBe('TWO');
  await rm(stage.join('real.txt'));
  const dead = await stage.run(['build']);
  expect(dead.code).toBe(2);
  expect(dead.stderr).toContain('course.yaml:2:27: in/link.txt is a link that leads nowhere');
});

test('names with spaces, other scripts and what a shell would read are names', async () => {
  const names = ['ein weg.txt', 'größe λ.txt', '$(id).txt', '-x.txt', "it's.txt", '[a].txt'];
  await using stage = await openBuildStage({
    'course.yaml': 'jobs:\n  - { id: all, type: shout, input: "in put/*" }\n',
  });
  for (const name of names) await stage.write({ [`in put/${name}`]: name });
  expect(await stage.build()).toMatchObject({ code: 0 });
  for (const name of names) expect(stage.read(`dist/in put/${name}`)).toBe(name.toUpperCase());
});

test('an `.env` that can be read but once, as some password managers give it, is enough for a command', async () => {
  await using stage = await openBuildStage(project);
  await stage.build();
  await stage.quiet();
  execFileSync('mkfifo', [stage.join('.env')]);
  const written = writeFile(stage.join('.env'), 'OTHER=1\n');
  const built = stage.start(['build', '--json']);
  const late = setTimeout(() => {
    built.kill('SIGKILL');
  }, 20_000);
  expect((await built.ended).signal).toBeNull();
  clearTimeout(late);
  expect((await built.ended).code).toBe(0);
  await written;
});

test('an output folder that cannot be one is told before anything is made', async () => {
  await using stage = await openBuildStage({ ...project, dist: 'a file' });
  const built = await stage.run(['build']);
  expect(built.code).toBe(2);
  expect(built.stderr).toContain(`${stage.join('dist')} is not a folder. (output_invalid)`);
  expect(built.stderr).not.toContain('started');
  await using store = await stage.store();
  expect((await store.listJobs({ limit: 1 })).items).toEqual([]);
});

test('a worker that does not get ready is started again as often as is said, then the build says so and leaves nothing', async () => {
  await using stage = await openBuildStage(project);
  await writeFile(path.join(stage.dataDir, 'shout-hangs'), '');
  const built = await stage.run(['build', '--verbose'], {
    CAPSTAN_WORKERS__START_TIMEOUT: '1s',
    CAPSTAN_WORKERS__START_RETRIES: '1',
    CAPSTAN_WORKER__DRAIN_GRACE: '1s',
  });
  expect(built.code).toBe(1);
  expect(built.stderr).toContain('worker_start_failed');
  expect(built.stderr).toContain('A shout worker did not start');
  expect(built.stderr).not.toContain('internal_error');
  const ended = logged(built.stderr).filter(({ msg }) => msg.startsWith('The worker process ended'));
  expect(ended).toHaveLength(2);
  await stage.quiet();
  await using store = await stage.store();
  expect(await store.listWorkers()).toEqual([]);
});
