import { expect, test } from 'vitest';
import { placeSecrets } from './place-secrets.ts';

const known = { OPENAI_API_KEY: { value: 'sk-1', file: null } };
const filed = { OPENAI_API_KEY: { value: 'sk-1', file: '/keys/openai' } };

test('whoever stays with a worker gives it its keys; a service that has a file of them reads that', () => {
  const handed = { handed: { OPENAI_API_KEY: 'sk-1' }, files: {}, mounts: [] };
  expect(placeSecrets(known, 'attached')).toEqual(handed);
  expect(placeSecrets(filed, 'attached')).toEqual(handed);
  expect(placeSecrets(known, 'persistent')).toEqual(handed);
  const target = '/run/secrets/OPENAI_API_KEY';
  expect(placeSecrets(filed, 'persistent')).toEqual({
    handed: {},
    files: { OPENAI_API_KEY: target },
    mounts: [{ source: '/keys/openai', target, readOnly: true }],
  });
});

test('without keys there is nothing to place', () => {
  expect(placeSecrets({}, 'persistent')).toEqual({ handed: {}, files: {}, mounts: [] });
});
