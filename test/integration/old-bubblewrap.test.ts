import { copyFile, mkdir } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { vendoredBinary } from '../../src/codex/vendored-binary.ts';
import { jobOf, openCliStage, type CliStage } from '../support/cli-stage.ts';
import { openGatewayStage } from '../support/gateway-stage.ts';
import { oldBubblewrap } from '../support/old-bubblewrap.ts';
import { tempDir } from '../support/temp-dir.ts';

interface Check {
  readonly name: string;
  readonly ok: boolean;
}

/** A PATH on which an old bubblewrap comes first. */
async function oldPath(folder: string): Promise<string> {
  await oldBubblewrap(folder);
  return `${folder}:${process.env['PATH'] ?? ''}`;
}

async function sandboxCheck(stage: CliStage, env: Readonly<Record<string, string>>): Promise<unknown> {
  const { stdout } = await stage.capstan(['doctor', '--json'], { env });
  const { checks } = JSON.parse(stdout) as { readonly checks: readonly Check[] };
  return checks.find(({ name }) => name === 'sandbox');
}

test.each(['app-server', 'exec'])(
  "an agent's commands and the checks run where the system's bubblewrap is too old for Codex: %s",
  async (driver) => {
    await using stage = await openCliStage();
    const env = { PATH: await oldPath(stage.dir.join('old')), CAPSTAN_CODEX__DRIVER: driver };

    const result = await stage.capstan(
      ['run', 'x', '--json', '--dir', 'site', '--check', 'test -e contact.html'],
      { env },
    );

    expect(jobOf(result)).toMatchObject({
      state: 'succeeded',
      filesChanged: [{ path: 'contact.html', change: 'created' }],
      checks: [{ passed: true }],
    });
    expect(await sandboxCheck(stage, env)).toMatchObject({ ok: true });
  },
);

test.each(['true', 'false'])("so do the gateway's, app-server: %s", async (useAppServer) => {
  await using dir = await tempDir('cache');
  await using stage = await openGatewayStage({
    scenario: { conversations: [{ turns: [{ commands: ['echo $((6 * 7)) runs'] }, { text: 'done' }] }] },
    env: { PROXY_SANDBOX_MODE: 'workspace-write', PROXY_USE_APP_SERVER: useAppServer },
    commandPath: await oldPath(dir.join('old')),
  });
  await (await stage.chat()).text();
  expect(JSON.stringify(stage.model.requests.at(-1)?.body)).toContain('42 runs');
});

test('where Codex brings none, that is told before any job runs', async () => {
  await using stage = await openCliStage();
  const codex = vendoredBinary(import.meta.filename) ?? '';
  await mkdir(stage.dir.join('bare'));
  await copyFile(codex, stage.dir.join('bare/codex'));
  const env = {
    PATH: await oldPath(stage.dir.join('old')),
    CAPSTAN_CODEX__BIN: stage.dir.join('bare/codex'),
  };
  expect(await sandboxCheck(stage, env)).toMatchObject({
    ok: false,
    code: 'bubblewrap_too_old',
    detail: expect.stringContaining(path.join(stage.dir.path, 'old/bwrap')) as string,
  });
});
