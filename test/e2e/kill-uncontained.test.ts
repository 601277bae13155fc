import { expect } from 'vitest';
import { needs } from '../support/needs.ts';
import { openStage } from './support/stage.ts';
import { steps } from './support/steps.ts';

/** A place like a default container: nobody in it may make a namespace. */
const withoutNamespaces = [
  'unshare',
  '--user',
  '--map-root-user',
  'sh',
  '-c',
  'echo 0 > /proc/sys/user/max_user_namespaces && exec "$@"',
  'sh',
];
/** The sandbox needs namespaces, too. */
const unsandboxed = {
  CAPSTAN_CODEX__SANDBOX_MODE: 'danger-full-access',
  CAPSTAN_CODEX__ALLOW_DANGER: 'true',
};

/** Two that left the process group of what started them. */
const tree = 'setsid sleep 1001 & (setsid sh -c "sleep 1002 &") ; sleep 1000';
const sleeps = ['1000', '1001', '1002'];

const { test } = needs('userns');

test('where nothing holds processes together, the commands of a dead worker are found by their mark', async () => {
  await using stage = await openStage(steps(tree));
  const first = await stage.worker(unsandboxed, withoutNamespaces);
  await first.line('held by their process group');
  const id = await stage.submit();
  await Promise.all(sleeps.map((seconds) => stage.pid('sleep', seconds)));
  first.kill('SIGKILL');
  await first.exited;
  await stage.worker(unsandboxed);
  expect(await stage.ended(id)).toMatchObject({ state: 'succeeded', attempt: 2, resumed: true });
  await Promise.all(sleeps.map((seconds) => stage.gone('sleep', seconds)));
  await stage.cleaned(id);
});

test('where nothing holds processes together, those of a dead app-server and of a cancelled job are found, too', async () => {
  await using stage = await openStage(steps(tree, tree));
  await stage.worker(unsandboxed, withoutNamespaces);
  const id = await stage.submit();
  const first = await Promise.all(sleeps.map((seconds) => stage.pid('sleep', seconds)));
  process.kill(await stage.pid('codex', 'app-server'), 'SIGKILL');
  await stage.event(id, ({ type, attempt }) => type === 'agent.thread' && attempt === 2);
  const second = await Promise.all(sleeps.map((seconds) => stage.pid('sleep', seconds)));
  expect(second.filter((pid) => first.includes(pid))).toEqual([]);
  expect(await stage.start(['jobs', 'cancel', id]).exited).toEqual({ code: 0, signal: null });
  expect(await stage.ended(id)).toMatchObject({ state: 'cancelled', attempt: 2 });
  await Promise.all(sleeps.map((seconds) => stage.gone('sleep', seconds)));
  await stage.cleaned(id, 'source');
});
