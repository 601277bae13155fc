import { expect, test } from 'vitest';
import { eventsOf, jobOf, openCliStage } from '../support/cli-stage.ts';

test.each(['app-server', 'exec'])(
  'a command that Codex itself refuses is an event with the reason: %s',
  async (driver) => {
    await using stage = await openCliStage({
      conversations: [
        {
          turns: [{ commands: ['rm -rf ./*'] }, { commands: ['echo went on > made'] }, { text: 'done' }],
        },
      ],
    });
    const result = await stage.capstan(['run', 'x', '--json', '--dir', 'site'], {
      env: { CAPSTAN_CODEX__DRIVER: driver },
    });
    expect(jobOf(result)).toMatchObject({
      state: 'succeeded',
      filesChanged: [{ path: 'made', change: 'created' }],
    });
    expect(eventsOf(result).filter(({ type }) => type === 'agent.declined')).toMatchObject([
      { request: 'rm -rf ./*', reason: expect.stringContaining('not permitted') as string },
    ]);
    expect(stage.model.problems).toEqual([]);
  },
);
