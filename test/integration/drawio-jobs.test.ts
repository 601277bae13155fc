import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { seeProcesses } from '../support/codex-stage.ts';
import { descendants } from '../support/descendants.ts';
import { needs } from '../support/needs.ts';
import { openToolStage, shareToolStage, type ToolStage } from '../support/tool-stage.ts';

const { describe } = needs('chromium', 'userns');
const network = path.join(import.meta.dirname, '../../examples/course/diagrams/network.drawio');

function file(...pages: readonly { readonly name?: string; readonly cells: string }[]): string {
  const drawn = pages.map(({ name, cells }) => {
    const model = `<mxGraphModel><root><mxCell id="0"/><mxCell id="1" parent="0"/>${cells}</root></mxGraphModel>`;
    return `<diagram${name === undefined ? '' : ` name="${name}"`}>${model}</diagram>`;
  });
  return `<mxfile>${drawn.join('')}</mxfile>`;
}

function box(text: string, style = 'html=1;whiteSpace=wrap;', size = 80): string {
  const geometry = `<mxGeometry x="20" y="20" width="${size}" height="40" as="geometry"/>`;
  return `<mxCell id="b" value="${text}" style="${style}" vertex="1" parent="1">${geometry}</mxCell>`;
}

describe('drawio jobs', () => {
  const stage = shareToolStage('drawio');
  const draw: ToolStage['runOn'] = (...work) => stage().runOn(...work);
  /** The browser's own process, of this test file: others may run at the same time. */
  const browsers = async () => {
    const ours = descendants(process.pid);
    return (await seeProcesses())
      .filter(
        ({ args }) => args[0]?.endsWith('/chromium') === true && args.includes('--remote-debugging-pipe'),
      )
      .filter(({ args, environ }) => !args.some((arg) => arg.startsWith('--type=')) && environ.length > 0)
      .filter(({ pid }) => ours.includes(pid))
      .map(({ pid }) => pid);
  };

  test('every page of the course’s drawing becomes svg and png, the packed one too, with its icon', async () => {
    const job = await stage().run({ source: { file: network }, formats: ['svg', 'png'] });
    expect(job.failure).toBeUndefined();
    expect(job.warnings).toEqual([]);
    expect(job.artifacts.map(({ name }) => name)).toEqual([
      'network-Network.svg',
      'network-Network.png',
      'network-Triangle.svg',
      'network-Triangle.png',
    ]);
    const svg = (await stage().artifact(job, 'network-Network.svg')).toString();
    expect(svg).toContain('Browser');
    // The router is drawn by its stencil: a box would have no curves.
    expect(svg).toMatch(/<path d="[^"]* C [^"]*" fill="#036897"/);
    const [wide, narrow] = await Promise.all(
      ['network-Network.png', 'network-Triangle.png'].map(async (name) =>
        sizeOf(await stage().artifact(job, name)),
      ),
    );
    expect(wide?.width).toBeGreaterThan(470);
    expect(narrow?.width).toBeLessThan(220);
  });

  test('the same drawing gives the same bytes', async () => {
    const input = { source: { file: network }, formats: ['svg', 'png'] };
    const [one, two] = [await stage().run(input), await stage().run(input)];
    expect(two.artifacts).toEqual(one.artifacts);
    expect(one.artifacts).toHaveLength(4);
  });

  test('pictures of the program’s own libraries are inside the svg; others are not fetched', async () => {
    const job = await draw({
      'a.drawio': file(
        { name: 'own', cells: box('', 'image;image=img/lib/azure2/compute/Virtual_Machine.svg;') },
        { name: 'far', cells: box('', 'image;image=http://127.0.0.1:9/x.png;') },
      ),
    });
    expect(job.state).toBe('succeeded');
    expect((await stage().artifact(job, 'a-own.svg')).toString()).toContain('data:image/svg+xml;base64,');
    expect(job.warnings).toHaveLength(1);
    expect(job.warnings[0]).toContain('http://127.0.0.1:9/x.png');
  });

  test('a drawing of one page has the name of its file; pages of one name are told apart', async () => {
    const one = await draw({ 'deep/one.drawio': file({ name: 'x', cells: box('one') }) });
    expect(one.artifacts).toMatchObject([{ name: 'deep__one.svg', path: 'deep/one.svg' }]);
    const page = { name: 'Same/name', cells: box('text') };
    const two = await draw({ 'two.drawio': file(page, page) });
    expect(two.artifacts.map(({ name }) => name)).toEqual(['two-Same-name.svg', 'two-Same-name-2.svg']);
  });

  test('a larger scale gives more pixels', async () => {
    const files = { 'a.drawio': file({ cells: box('text') }) };
    const [one, three] = await Promise.all(
      [1, 3].map(async (scale) => {
        const job = await draw(files, { formats: ['png'], scale });
        return sizeOf(await stage().artifact(job, 'a.png'));
      }),
    );
    expect(three?.width).toBeGreaterThan(2.5 * (one?.width ?? Infinity));
  });

  test('one browser draws all jobs', async () => {
    const before = await browsers();
    await draw({ 'a.drawio': file({ cells: box('a') }) });
    expect(await browsers()).toEqual(before);
  });

  test('what a drawing says as a program is not run, and what it says as a picture stays in the jail', async () => {
    const script =
      '&lt;img src=x onerror=&quot;document.title=1;mxUtils=null&quot;&gt;&lt;script&gt;mxUtils=null&lt;/script&gt;';
    const job = await draw({
      'a.drawio': file({ name: 'a', cells: box(script) }, { name: 'b', cells: box('after') }),
    });
    expect((await stage().artifact(job, 'a-b.svg')).toString()).toContain('after');
  });

  test.for([
    ['empty', '', 'file_empty'],
    ['cut off', '<mxfile><diagram', 'drawing_invalid'],
    ['of another kind', '<html></html>', 'drawing_invalid'],
    ['without a page', '<mxfile></mxfile>', 'drawing_invalid'],
    ['that cannot be unpacked', '<mxfile><diagram>!!!</diagram></mxfile>', 'drawing_invalid'],
    ['that draws too large', file({ cells: box('x', 'html=1;', 40_000) }), 'drawing_too_large'],
  ] as const)('a file %s is refused', async ([, text, code]) => {
    const job = await draw({ 'a.drawio': text }, { formats: ['png'] });
    expect(job).toMatchObject({ state: 'failed', failure: { kind: 'user', code } });
    expect(job.failure?.message).toContain('a.drawio');
    expect(job.failure?.hint).not.toBe('');
  });

  test('a browser that is killed is replaced, and the job is done again', async () => {
    const before = await browsers();
    let killed = false;
    const job = await draw({ 'a.drawio': file({ cells: box('a') }) }, {}, async () => {
      if (!killed) for (const pid of before) process.kill(pid, 'SIGKILL');
      killed = true;
    });
    expect(before).toHaveLength(1);
    expect(job.state).toBe('succeeded');
    expect(await browsers()).not.toEqual(before);
  });

  test('a browser that hangs costs the job its time, and is replaced', async () => {
    const [pid] = await browsers();
    if (pid !== undefined) process.kill(pid, 'SIGSTOP');
    const files = { 'a.drawio': file({ cells: box('a') }) };
    const hung = await draw(files, { timeoutMs: 1_000 });
    expect(hung).toMatchObject({ state: 'failed', failure: { kind: 'timeout' } });
    expect((await draw(files)).state).toBe('succeeded');
    expect(await browsers()).not.toContain(pid);
  });

  test('a job that takes too long, or is cancelled, ends, and the next one is drawn', async () => {
    const cells = Array.from({ length: 20_000 }, (_, index) =>
      box(`t${index}`).replace('id="b"', `id="b${index}"`),
    );
    const slow = { 'slow.drawio': file({ cells: cells.join('') }) };
    expect(await draw(slow, { timeoutMs: 500 })).toMatchObject({
      state: 'failed',
      failure: { kind: 'timeout' },
    });
    expect((await draw(slow, {}, (cancel) => cancel())).state).toBe('cancelled');
    expect((await draw({ 'a.drawio': file({ cells: box('a') }) })).state).toBe('succeeded');
  });
});

test('a worker without Chromium says which package to install', async () => {
  await expect(openToolStage('drawio', { commandPath: '/nowhere' })).rejects.toMatchObject({
    kind: 'configuration',
    code: 'chromium_missing',
    hint: 'Install it: apt-get install chromium',
  });
});

test('the second page of the sample is packed', async () => {
  expect(await readFile(network, 'utf8')).toMatch(/name="Triangle">[A-Za-z0-9+/=]+</);
});

function sizeOf(png: Buffer): { readonly width: number; readonly height: number } {
  return { width: png.readUInt32BE(16), height: png.readUInt32BE(20) };
}
