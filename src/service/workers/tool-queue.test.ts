import { expect, test } from 'vitest';
import { submitJobSchema } from '../../contract/job.ts';
import { imageTool, toolQueue } from './tool-queue.ts';

const digest = (letter: string): string => letter.repeat(64);

test('each tool of a type has a queue of its own, with a name that a person can read and a request can carry', () => {
  const image = (letter: string): string =>
    toolQueue('plantuml', imageTool('plantuml', { imageId: `sha256:${digest(letter)}`, model: 'm' }));
  expect(toolQueue('plantuml', 'PlantUML 1.2020.02')).toMatch(
    /^plantuml\.PlantUML-1\.2020\.02\.[0-9a-f]{8}$/,
  );
  expect(image('a')).toMatch(/^plantuml\.image-sha256-aaaaaaaaaaaa\.[0-9a-f]{8}$/);
  expect(image('a')).not.toBe(image('b'));
  expect(toolQueue('plantuml', 'x')).not.toBe(toolQueue('drawio', 'x'));
  for (const queue of [image('a'), toolQueue('notebook', `ünlikely ${'tool '.repeat(30)}`)])
    expect(submitJobSchema.parse({ type: 'x', queue, input: {} }).queue).toBe(queue);
});

test('what agents in a container make depends on their model, too', () => {
  const tool = (type: string, model: string): string => imageTool(type, { imageId: 'sha256:1', model });
  expect(tool('codex', 'a')).not.toBe(tool('codex', 'b'));
  expect(tool('plantuml', 'a')).toBe(tool('plantuml', 'b'));
});
