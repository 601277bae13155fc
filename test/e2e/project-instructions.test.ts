import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { openStage } from './support/stage.ts';
import { steps } from './support/steps.ts';

test.each(['app-server', 'exec'])("the project's AGENTS.md reaches the agent: %s", async (driver) => {
  await using stage = await openStage(steps('true'));
  await writeFile(path.join(stage.site, 'AGENTS.md'), 'Greet in Latin: salve, orbis.\n');
  await stage.worker({ CAPSTAN_CODEX__DRIVER: driver });
  expect(await stage.ended(await stage.submit())).toMatchObject({ state: 'succeeded' });
  const asked = stage.model.requests.filter(({ turn }) => turn >= 0);
  expect(asked.length).toBeGreaterThan(0);
  for (const { body } of asked) expect(JSON.stringify(body)).toContain('salve, orbis');
});
