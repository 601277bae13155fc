import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { Listr, type ListrTask } from 'listr2';
import { loadConfig } from '../src/config/load-config.ts';
import { loadProfile } from '../src/config/load-profile.ts';
import { platformPaths } from '../src/config/platform-paths.ts';
import { colorsFor } from '../src/cli/colors.ts';
import { printError } from '../src/cli/print-error.ts';
import { renderEvent } from '../src/cli/render-event.ts';
import { formatDuration, renderJob } from '../src/cli/render-job.ts';
import type { JobView } from '../src/contract/job.ts';
import { buildServer } from '../src/http/build-server.ts';
import { listen } from '../src/http/listen.ts';
import { openCapstan } from '../src/service/open-capstan.ts';
import { startCodexWorker } from '../src/service/workers/start-codex-worker.ts';
import { createLogger } from '../src/telemetry/create-logger.ts';
import { startScriptedModel } from '../test/scripted-model/start-scripted-model.ts';
import { createClient, type Client } from './client.ts';
import { scenario } from './scenario.ts';

const root = join(import.meta.dirname, '..');
const site = join(root, 'examples', 'site');
const dataDir = join(root, '.capstan');

interface DemoJob {
  readonly prompt: string;
  readonly checks: readonly string[];
}

const demoJobs: readonly DemoJob[] = [
  { prompt: 'Add a contact page', checks: ['node scripts/check-links.js'] },
  { prompt: 'Fix the failing test', checks: ['node --test'] },
  { prompt: 'Add a menu page', checks: ['node scripts/check-links.js'] },
];

/** The whole of Capstan on one machine without a key: server, store, worker and the real Codex; only the model is a script. */
async function demo(stop: AbortSignal): Promise<void> {
  const out = process.stdout;
  const colors = colorsFor(out, process.env);
  out.write(`${colors.bold('Capstan demo')}: three jobs at once on ${site}\n`);
  out.write(
    colors.dim(
      'The agent is the real Codex CLI; its model is a script on this machine, so no key is needed.\n\n',
    ),
  );
  const began = performance.now();

  await using model = await startScriptedModel({ scenario });
  const environment = {
    CAPSTAN_DATA: dataDir,
    CAPSTAN_CODEX__BASE_URL: model.baseUrl,
    OPENAI_API_KEY: 'demo-key-that-opens-nothing',
  };
  const paths = platformPaths({ name: process.platform, home: homedir(), environment });
  const { config } = loadConfig({ flags: {}, environment, cwd: site, paths });
  const logger = createLogger({ level: 'error', format: 'text', destination: process.stderr });
  await using capstan = await openCapstan({
    config,
    profile: loadProfile(environment),
    logger,
    commandPath: process.env['PATH'] ?? '',
  });
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string };
  const stopping = new AbortController();
  const guard = { host: '127.0.0.1', apiKey: null, allowedHosts: [], allowedOrigins: [] };
  const server = await buildServer({ jobs: capstan, logger, guard, version, stopping: stopping.signal });
  await using open = new AsyncDisposableStack();
  open.defer(() => server.close());
  open.defer(() => {
    stopping.abort();
  });
  const url = await listen(server, { host: '127.0.0.1', port: 0 });
  const drain = new AbortController();
  const signal = AbortSignal.any([stop, drain.signal]);
  const worker = await startCodexWorker(
    capstan,
    { concurrency: demoJobs.length, drainGraceMs: 0 },
    { drain: signal },
  );
  open.defer(async () => {
    drain.abort();
    await worker.stopped;
  });

  const client = createClient(url, stop);
  const ended: JobView[] = [];
  const tasks = demoJobs.map((job) => demoTask(job, { client, ended }));
  await new Listr(tasks, {
    concurrent: true,
    exitOnError: false,
    rendererOptions: { showErrorMessage: false },
  }).run();
  stop.throwIfAborted();

  for (const { prompt } of demoJobs) {
    const job = ended.find(({ input }) => (input as { prompt: string }).prompt === prompt);
    if (job === undefined) continue;
    const patch = await client.artifact(job.id, 'changes.patch');
    out.write(`\n${colors.bold(prompt)}\n`);
    const extras = { patch, artifactsAt: dirname(capstan.artifacts.path(job.id, 'changes.patch')) };
    out.write(
      `${renderJob(job, extras, colors)
        .map((line) => `  ${line}`)
        .join('\n')}\n`,
    );
  }
  const took = formatDuration(performance.now() - began);
  out.write(`
${colors.bold('That was the whole of it')}, in ${took}. The third job failed on purpose: the agent said that it was done, its check said otherwise.

Look at what is kept here:      npx capstan jobs list
Try it on a folder of yours:    export OPENAI_API_KEY=sk-…
                                npx capstan run "Add a contact page" --dir path/to/your/site
Serve it to other programs:     npx capstan serve
See what is missing, if anything: npx capstan doctor
`);
  const states = ended.map(({ state }) => state).sort();
  if (states.join() !== 'failed,succeeded,succeeded') process.exitCode = 1;
}

interface TaskDeps {
  readonly client: Client;
  readonly ended: JobView[];
}

function demoTask({ prompt, checks }: DemoJob, { client, ended }: TaskDeps): ListrTask {
  const out = process.stdout;
  const colors = colorsFor(out, process.env);
  // In a list that moves each line stands below its job; among plain lines it has to say whose it is.
  const label = out.isTTY ? '' : `${prompt}: `;
  const width = out.isTTY ? out.columns - 6 : 140;
  return {
    title: prompt,
    task: async (_context, task) => {
      const job = await client.submit({ type: 'codex', input: { prompt, source: { dir: site }, checks } });
      for await (const event of client.events(job.id)) {
        const line = renderEvent(event, colors, width - label.length);
        if (line !== null) task.output = label + line;
        if (event.type !== 'job.finished') continue;
        ended.push(event.job);
        const { state, durationMs, failure } = event.job;
        task.title = `${prompt}: ${state} in ${formatDuration(durationMs)}`;
        if (state !== 'succeeded') throw new Error(failure?.message ?? state);
      }
    },
  };
}

const stop = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.once(name, () => {
    process.exitCode = name === 'SIGINT' ? 130 : 143;
    stop.abort(name);
  });
}
try {
  const [what, ...args] = process.argv.slice(2);
  if (what === undefined) await demo(stop.signal);
  else if (what === 'course')
    process.exitCode = await (await import('./course.ts')).courseDemo(args, stop.signal);
  else {
    process.stderr.write(`There is no demo '${what}'. Say: npm run demo, or npm run demo -- course\n`);
    process.exitCode = 2;
  }
} catch (error) {
  if (!stop.signal.aborted) {
    printError({ stderr: process.stderr, env: process.env }, error, { json: false });
    process.exitCode = 1;
  }
}
