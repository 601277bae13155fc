import { spawn } from 'node:child_process';
import path from 'node:path';
import { expect, test } from 'vitest';
import { openBuildStage, type BuildStage } from '../support/build-stage.ts';
import { screen } from '../support/screen.ts';

const program = path.join(import.meta.dirname, '../children/capstan.ts');
const polling = { timeout: 20_000, interval: 20 };

interface Seen {
  /** What stands on the terminal now. */
  rows(): readonly string[];
  /** As a person types it. */
  type(text: string): void;
  readonly ended: Promise<number | null>;
}

/** `capstan build` in a terminal of its own. */
function watch(stage: BuildStage, size: { readonly columns: number; readonly rows: number }): Seen {
  const words = [process.execPath, program, 'build'].map((word) => `'${word}'`).join(' ');
  const command = `stty cols ${String(size.columns)} rows ${String(size.rows)}; exec ${words}`;
  const run = process.env['CAPSTAN_TEST_RUN'];
  const child = spawn('script', ['-qec', command, '/dev/null'], {
    cwd: stage.root,
    env: {
      ...stage.environment,
      TERM: 'xterm',
      SHELL: '/bin/sh',
      ...(run === undefined ? {} : { CAPSTAN_TEST_RUN: run }),
    },
    stdio: 'pipe',
  });
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
  return {
    rows: () => screen(text),
    type: (keys) => void child.stdin.write(keys),
    ended: new Promise((resolve) => child.once('close', resolve)),
  };
}

/** A project of three jobs, of which the tasks of the first wait for `go`, unless `files` say otherwise. */
async function held(files: Readonly<Record<string, string>> = {}): Promise<BuildStage> {
  const stage = await openBuildStage({
    'course.yaml': `name: Course
jobs:
  - { id: notes, type: shout, input: "notes/*.txt" }
  - { id: solo, type: shout, input: "solo.txt" }
  - { id: book, type: shout, input: "book.txt", needs: [notes] }
`,
    'solo.txt': 'solo',
    'book.txt': 'book',
  });
  const wait = `wait ${stage.join('go')}`;
  await stage.write({ 'notes/a.txt': wait, 'notes/b.txt': wait, ...files });
  return stage;
}

const times = (rows: readonly string[]): readonly string[] =>
  rows.map((row) => row.replaceAll(/\d+(?:\.\d+)? (?:ms|s)\b/g, 'TIME').trimEnd());

/** Rows with something in them: `script` may end with an empty one of its own. */
const said = (build: Seen): readonly string[] => times(build.rows()).filter((row) => row !== '');

test('in a terminal each job has a line while it is made, and what stays is what came of it', async () => {
  await using stage = await held();
  const build = watch(stage, { columns: 120, rows: 30 });
  await expect
    .poll(() => times(build.rows()).slice(-4), polling)
    .toEqual([
      expect.stringMatching(/^✓ solo:solo.txt built TIME$/),
      expect.stringMatching(/^[⠋-⠿] notes 0\/2$/),
      '  waiting for others: book',
      expect.stringMatching(/^ {2}1\/4 in TIME · shout: 1 worker, 0 queued/),
    ]);
  await stage.write({ go: '' });
  expect(await build.ended).toBe(0);
  expect(said(build)).toEqual([
    'Course: 4 of 4 to make',
    '· started 1 direct shout worker',
    '✓ solo:solo.txt built TIME',
    '✓ notes 2 built',
    '✓ book:book.txt built TIME',
    `✓ 4 built in TIME → ${stage.join('dist')}`,
  ]);
});

test('a failure is told at once, and with its cause at the end; what it kept from being made is named once', async () => {
  await using stage = await held({ 'notes/b.txt': 'fail' });
  const build = watch(stage, { columns: 100, rows: 30 });
  await expect
    .poll(() => times(build.rows()).join('\n'), polling)
    .toMatch(/✗ notes:notes\/b.txt failed TIME {2}b.txt cannot be shouted.\n[^]*notes 1\/2 1 failed/);
  await expect.poll(() => times(build.rows()), polling).toContain('✓ solo:solo.txt built TIME');
  await stage.write({ go: '' });
  expect(await build.ended).toBe(1);
  expect(said(build).slice(-7)).toEqual([
    '✗ notes 1 built, 1 failed',
    '- book:book.txt skipped  it needs notes, which was not made',
    'failed notes:notes/b.txt: b.txt cannot be shouted. (user: too_quiet)',
    '  next: Take out the word.',
    expect.stringMatching(/^ {2}log: {2}capstan jobs logs /),
    'skipped book: it needs notes, which was not made',
    `✗ 2 built, 1 failed, 1 skipped in TIME → ${stage.join('dist')}`,
  ]);
});

test('Ctrl-C is answered at once, and nothing is left', async () => {
  await using stage = await held();
  const build = watch(stage, { columns: 80, rows: 24 });
  await expect
    .poll(() => times(build.rows()).join('\n'), polling)
    .toMatch(/1\/4 in TIME · shout: 1 worker, 0 queued/);
  build.type('\u0003');
  expect(await build.ended).toBe(130);
  expect(said(build).slice(-2)).toEqual([
    'Stopping: what is under way is ended. Once more ends at once.',
    `✗ 1 built, 3 cancelled in TIME → ${stage.join('dist')}`,
  ]);
});

test('more jobs than the terminal has rows: those that fit, and how many more there are', async () => {
  await using stage = await openBuildStage({});
  const names = Array.from(
    { length: 30 },
    (_, at) => `a-job-whose-name-is-long-${String(at).padStart(2, '0')}`,
  );
  for (const name of names) await stage.write({ [`${name}.txt`]: `wait ${stage.join('go')}` });
  const jobs = names.map((name) => `  - { id: ${name}, type: shout, input: ${name}.txt }\n`).join('');
  await stage.write({ 'course.yaml': `jobs:\n${jobs}` });
  const build = watch(stage, { columns: 40, rows: 10 });
  await expect.poll(() => build.rows().join('\n'), polling).toContain('26 queued');
  const moving = build.rows().slice(2);
  expect(moving).toHaveLength(8);
  expect(moving.every((row) => row.length < 40)).toBe(true);
  expect(moving.join('\n')).toMatch(/… and 25 more\n {2}0\/30 in .*\n {2}shout: 1 worker, 26 queued/);
  await stage.write({ go: '' });
  expect(await build.ended).toBe(0);
});
