import { expect, test } from 'vitest';
import type { Origin } from '../config/layer.ts';
import { noteProjectSettings } from './note-project-settings.ts';

function origins(...entries: readonly (readonly [string, Origin])[]) {
  return { origins: new Map(entries) };
}

test('a project that says where the key goes is named with its file and line', () => {
  const project: Origin = { layer: 'project', where: '/clone/.capstan/config.toml:3' };
  expect(noteProjectSettings(origins(['codex.base_url', project]))).toEqual([
    'codex.base_url is set by the project: /clone/.capstan/config.toml:3',
  ]);
});

test("what the user's own file or the environment says, and what does no harm, is not named", () => {
  const user: Origin = { layer: 'user', where: '/home/me/.config/capstan/config.toml:1' };
  const project: Origin = { layer: 'project', where: '/clone/.capstan/config.toml:3' };
  expect(noteProjectSettings(origins(['codex.base_url', user], ['codex.model', project]))).toEqual([]);
});
