import { readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { runCli } from '../src/cli/run-cli.ts';
import { colorsFor } from '../src/cli/colors.ts';
import { startScriptedModel } from '../test/scripted-model/start-scripted-model.ts';
import { courseScenario } from './course-scenario.ts';

const root = join(import.meta.dirname, '..');
const course = join(root, 'examples', 'course');
const dataDir = join(root, '.capstan', 'demo-course');

/** `capstan build` on the sample course without a key: all tools and the Codex CLI are the real ones, only the agent's model is a script. */
export async function courseDemo(args: readonly string[], stop: AbortSignal): Promise<number> {
  const out = process.stdout;
  const colors = colorsFor(out, process.env);
  out.write(`${colors.bold('Capstan demo')}: a course with diagrams, slides and a page by an agent\n`);
  out.write(colors.dim('Its agent is the real Codex CLI; its model is a script on this machine.\n\n'));
  await using model = await startScriptedModel({ scenario: courseScenario });
  Object.assign(process.env, {
    // Of its own: what a script has written is not taken for what a model would write.
    CAPSTAN_DATA: dataDir,
    CAPSTAN_CODEX__BASE_URL: model.baseUrl,
    OPENAI_API_KEY: 'demo-key-that-opens-nothing',
  });
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string };
  const manifest = relative(process.cwd(), join(course, 'course.yaml'));
  const code = await runCli(['build', manifest, ...args], {
    env: process.env,
    cwd: process.cwd(),
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    interrupted: stop,
    version,
  });
  if (code === 0) {
    const page = relative(process.cwd(), join(course, 'dist', 'site', 'index.html'));
    out.write(`
Read it:                        open ${page} in a browser
See what it says the next time: npm run demo -- course --explain
Look at its jobs:               npx capstan jobs list --db-path ${relative(process.cwd(), join(dataDir, 'capstan.db'))}
Build it with a model's help:   export OPENAI_API_KEY=sk-…
                                npx capstan build examples/course/course.yaml
`);
  }
  return code;
}
