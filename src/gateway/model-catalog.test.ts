import { expect, test } from 'vitest';
import { createModelCatalog } from './model-catalog.ts';

test("names, aliases with an effort and the model's own name are offered, each once", () => {
  const catalog = createModelCatalog(['codex-5', 'codex-5-low=low', 'gpt-5.5'], 'gpt-5.5');
  expect(catalog.offered.map(({ id }) => id)).toEqual(['codex-5', 'codex-5-low', 'gpt-5.5']);
  expect(catalog.find('codex-5-low').effort).toBe('low');
  expect(() => catalog.find('other')).toThrow(expect.objectContaining({ code: 'model_not_found' }));
});

test.each(['a b', '=low', 'name=enormous'])('%s is no entry', (entry) => {
  expect(() => createModelCatalog([entry], 'm')).toThrow(expect.objectContaining({ code: 'models_invalid' }));
});
