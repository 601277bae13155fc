import { expect, test } from 'vitest';
import { lineOf, locateKeys } from './locate-keys.ts';

const toml = `top = 1
[codex] # the agent
model = "x" # = no key
"base_url" = '''
driver = "in a text"
'''
stall . timeout = 1
[[list]]
http.port = 2
[worker]
inline = { concurrency = 3 }
driver = 4
`;

test.each([
  ['top', 1],
  ['codex', 2],
  ['codex.model', 3],
  ['codex.base_url', 4],
  ['codex.stall.timeout', 7],
  ['list.http.port', 9],
  ['worker.inline.concurrency', 11],
  ['worker.driver', 12],
])('%s stands in line %i', (name, line) => {
  expect(lineOf(locateKeys(toml), name)).toBe(line);
});

test('a text of several lines holds no keys', () => {
  expect(lineOf(locateKeys(toml), 'codex.driver')).toBe(2);
  expect(lineOf(locateKeys(toml), 'nowhere')).toBeUndefined();
});
