import { execFile } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { seeProcesses } from '../support/codex-stage.ts';
import { descendants } from '../support/descendants.ts';
import { needs } from '../support/needs.ts';
import { makeTree } from '../support/scratch-folder.ts';
import { openToolStage, shareToolStage, type ToolStage } from '../support/tool-stage.ts';

const run = promisify(execFile);
const { describe } = needs('jupyter', 'chromium', 'userns');
const course = path.join(import.meta.dirname, '../../examples/course/slides');

function cells(...sources: readonly string[]): string {
  return sources.map((source) => `# %%\n${source}\n`).join('\n');
}

describe('notebook jobs', () => {
  const stage = shareToolStage('notebook');
  const convert: ToolStage['runOn'] = (...work) => stage().runOn(...work);
  /** What of a job's attempts still runs. */
  const alive = async (jobId: string) =>
    (await seeProcesses()).filter(({ environ }) => environ.some((each) => each.includes(`${jobId}:`)));

  test('the slides of the course are run, and shown with mathematics, over HTTP and with nothing else to reach', async () => {
    const job = await stage().run({
      source: { dir: course },
      files: ['graphs.ipynb', 'search.py'],
      formats: ['html', 'notebook', 'script'],
      execute: true,
    });
    expect(job.failure).toBeUndefined();
    // A build makes these first; here nobody has.
    expect(job.warnings.map((warning) => warning.replace(/: .*/, ''))).toEqual([
      'graphs.html shows pictures that are not there',
      'search.html shows pictures that are not there',
    ]);
    expect(job.artifacts.map(({ name }) => name)).toEqual(
      ['graphs', 'search'].flatMap((name) => [`${name}.html`, `${name}.ipynb`, `${name}.py`]),
    );
    expect((await stage().artifact(job, 'graphs.py')).toString()).toContain('edges = [');
    const executed = JSON.parse((await stage().artifact(job, 'search.ipynb')).toString()) as {
      cells: { outputs?: { text?: string | string[] }[] }[];
    };
    expect(JSON.stringify(executed.cells.at(-1)?.outputs)).toContain('furthest');

    const seen = await browse(await stage().artifact(job, 'graphs.html'), stage().dir.join('profile'));
    expect(seen.dom.match(/<mjx-container/g)?.length).toBeGreaterThanOrEqual(4);
    expect(seen.dom).not.toContain('data-mjx-error');
    expect(seen.dom).toContain('{1: 2, 2: 2, 3: 3, 4: 1}');
    expect(seen.dom).toContain('class="k">for</span>');
    expect(seen.paths.filter((each) => !/^\/(?:favicon\.ico$|diagrams\/)/.test(each))).toEqual(['/']);
  });

  test('the same notebook gives the same bytes', async () => {
    const input = {
      source: { file: path.join(course, 'search.py') },
      formats: ['html', 'notebook'],
      execute: true,
    };
    const [one, two] = [await stage().run(input), await stage().run(input)];
    expect(one.artifacts).toHaveLength(2);
    expect(two.artifacts).toEqual(one.artifacts);
  });

  test('a cell that fails is named by its number, with the traceback', async () => {
    const job = await convert(
      { 'a.py': cells('x = 1', 'def f():\n    return x / 0\nf()') },
      { execute: true },
    );
    expect(job).toMatchObject({
      state: 'failed',
      attempt: 1,
      failure: { kind: 'user', code: 'cell_failed' },
    });
    expect(job.failure?.message).toMatch(/^a\.py, cell 2: ZeroDivisionError/);
    expect(job.failure?.message).toContain('return x / 0');
    expect(job.failure?.message).not.toContain('\u001b');
    expect(await alive(job.id)).toEqual([]);
  });

  test('what is not to be run is not run', async () => {
    const job = await convert({ 'a.py': cells('1 / 0') }, { formats: ['notebook'] });
    expect(job.state).toBe('succeeded');
  });

  test('cells have a HOME of their own and the source beside them, and reach nothing else', async () => {
    const code = `
import os, pathlib, socket
print("data:", pathlib.Path("data.txt").read_text())
print("home is empty:", not [name for name in os.listdir(os.environ["HOME"]) if name.startswith(".ssh")])
print("secret:", pathlib.Path("${stage().dir.join('secret.txt')}").exists(), pathlib.Path("/root").exists())
try:
    socket.create_connection(("127.0.0.1", 9), timeout=1)
except OSError as error:
    print("network:", error.errno)
`;
    await makeTree(stage().dir.path, { 'secret.txt': 'x' });
    const job = await convert(
      { 'chapter/a.py': cells(code), 'chapter/data.txt': 'beside' },
      { files: ['chapter/a.py'], formats: ['notebook'], execute: true },
    );
    expect(job.failure).toBeUndefined();
    const text = (await stage().artifact(job, 'chapter__a.ipynb')).toString();
    expect(text).toContain('data: beside');
    expect(text).toContain('secret: False False');
    expect(text).toContain('network: 101');
  });

  test.for([
    ['a cell that runs too long', 'while True: pass', { cellTimeoutMs: 1_000 }, 'timeout', 'cell_timeout'],
    [
      'a job that runs too long',
      'import time; time.sleep(600)',
      { timeoutMs: 4_000 },
      'timeout',
      'job_timeout',
    ],
    ['a kernel that ends itself', 'import os; os._exit(3)', {}, 'user', 'kernel_died'],
    ['a cell that prints for ever', 'while True: print("x" * 1_000_000)', {}, 'user', 'output_too_large'],
  ] as const)('%s ends the job, and nothing of it lives on', async ([, code, input, kind, failure]) => {
    const background = 'import subprocess; subprocess.Popen(["sleep", "600"], start_new_session=True)';
    const job = await convert({ 'a.py': cells(background, code) }, { execute: true, ...input });
    expect(job).toMatchObject({ state: 'failed', failure: { kind, code: failure } });
    expect(job.failure?.hint).not.toBe('');
    expect(await alive(job.id)).toEqual([]);
  });

  test('a cancelled job leaves nothing alive', async () => {
    const job = await convert(
      { 'a.py': cells('import time; time.sleep(600)') },
      { execute: true },
      (cancel) => cancel(),
    );
    expect(job.state).toBe('cancelled');
    expect(await alive(job.id)).toEqual([]);
  });

  test('a converter that is killed is started again for another attempt', async () => {
    const code = 'import os, time\ntime.sleep(600 if os.environ["CAPSTAN_ATTEMPT"].endswith(":1") else 0)';
    let killed = 0;
    const job = await convert({ 'a.py': cells(code) }, { execute: true }, async () => {
      while (killed === 0) {
        for (const { pid, args, environ } of await seeProcesses()) {
          if (args[1] !== '-I' || !environ.some((each) => /^CAPSTAN_ATTEMPT=.*:1$/.test(each))) continue;
          // Another test file may run at the same time.
          if (!descendants(process.pid).includes(pid)) continue;
          process.kill(pid, 'SIGKILL');
          killed += 1;
        }
      }
    });
    expect(job).toMatchObject({ state: 'succeeded', attempt: 2 });
  });

  test.for([
    ['empty', 'a.ipynb', '', 'file_empty'],
    ['that is no JSON', 'a.ipynb', '{"cells": [', 'notebook_invalid'],
    ['of another kind', 'a.ipynb', '{"a": 1}', 'notebook_invalid'],
    [
      'with cells that are none',
      'a.ipynb',
      '{"cells":[{"x":1}],"metadata":{},"nbformat":4,"nbformat_minor":5}',
      'notebook_invalid',
    ],
    ['without cells', 'a.py', 'print(1)\n', 'no_cells'],
    ['that is binary', 'a.ipynb', '\uD800', 'notebook_invalid'],
  ] as const)('a file %s is refused', async ([, name, text, code]) => {
    const job = await convert({ [name]: text });
    expect(job).toMatchObject({ state: 'failed', failure: { kind: 'user', code } });
  });

  test('a picture that a cell makes a link to anywhere does not become part of the page; one with spaces does', async () => {
    const code = "import os; os.symlink('/etc/hosts', 'out.svg'); open('in side.svg', 'w').write('<svg/>')";
    const job = await convert(
      { 'a.py': `# %%\n${code}\n\n# %% [markdown]\n# ![](out.svg) ![](in%20side.svg)\n` },
      { files: ['a.py'], execute: true },
    );
    expect(job.failure).toBeUndefined();
    expect(job.warnings).toEqual(['a.html shows pictures that are not there: out.svg']);
    expect((await stage().artifact(job, 'a.html')).toString()).toContain(
      'src="data:image/svg+xml;base64,PHN2Zy8+"',
    );
  });

  test('a kernel that is not there is a matter of configuration', async () => {
    const job = await convert({ 'a.py': cells('1') }, { execute: true, kernel: 'fortran' });
    expect(job).toMatchObject({
      state: 'failed',
      failure: { kind: 'configuration', code: 'kernel_missing' },
    });
    expect(job.failure?.message).toContain('fortran');
  });
});

test('a worker without Jupyter says which package to install', async () => {
  await expect(openToolStage('notebook', { commandPath: '/nowhere' })).rejects.toMatchObject({
    kind: 'configuration',
    code: 'jupyter_missing',
    hint: expect.stringContaining('apt-get install jupyter-nbconvert') as string,
  });
});

/** Shows a page in a browser that reaches nothing but the server that gives it; what it then holds, and what it asked for. */
async function browse(
  page: Buffer,
  profile: string,
): Promise<{ readonly dom: string; readonly paths: readonly string[] }> {
  const paths: string[] = [];
  const server = createServer((request, response) => {
    paths.push(request.url ?? '');
    response.setHeader('content-type', 'text/html; charset=utf-8');
    response.statusCode = request.url === '/' ? 200 : 404;
    response.end(request.url === '/' ? page : '');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const { port } = server.address() as AddressInfo;
    const flags = [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
      `--user-data-dir=${profile}`,
      '--virtual-time-budget=20000',
      '--dump-dom',
      `http://127.0.0.1:${port}/`,
    ];
    const { stdout } = await run('chromium', flags, {
      maxBuffer: 64 * 1024 * 1024,
      timeout: 40_000,
      killSignal: 'SIGKILL',
    });
    return { dom: stdout.slice(stdout.indexOf('<body')), paths };
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}
