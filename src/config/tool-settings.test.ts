import { expect, test } from 'vitest';
import { loadConfig } from './load-config.ts';
import { platformPaths } from './platform-paths.ts';
import type { Config } from './settings.ts';

function toolsOf(environment: Readonly<Record<string, string>>): Config['tools'] {
  const paths = platformPaths({ name: 'linux', home: '/nowhere', environment });
  return loadConfig({ flags: {}, environment, cwd: '/work', paths }).config.tools;
}

test.each([
  ['JAVA', '/opt/jdk/bin/java', 'java', ['/opt/jdk/bin/java', null]],
  ['PLANTUML', './plantuml.jar', 'plantuml', ['/work/plantuml.jar', null]],
  ['DOT', 'dot-2', 'dot', ['dot-2', null]],
  ['JUPYTER', '/venv/bin/python3', 'jupyter', ['/venv/bin/python3', null]],
  ['DRAWIO', '/opt/drawio/drawio', 'drawio', ['/opt/drawio/drawio', null]],
  ['CHROMIUM', 'google-chrome', 'chromium', ['google-chrome', null]],
  ['PLANTUML_TIMEOUT', '2m', 'plantumlTimeoutMs', [120_000, 60_000]],
  ['NOTEBOOK_CELL_TIMEOUT', '30s', 'notebookCellTimeoutMs', [30_000, 600_000]],
  ['DRAWIO_TIMEOUT', '500ms', 'drawioTimeoutMs', [500, 60_000]],
  ['PLANTUML_MAX_MIB', '5', 'plantumlMaxMib', [5, 2]],
  ['NOTEBOOK_MAX_MIB', '5', 'notebookMaxMib', [5, 64]],
  ['NOTEBOOK_OUTPUT_MAX_MIB', '5', 'notebookOutputMaxMib', [5, 32]],
  ['DRAWIO_MAX_MIB', '5', 'drawioMaxMib', [5, 32]],
] as const)('CAPSTAN_TOOLS__%s=%s', (name, text, key, [value, fallback]) => {
  expect(toolsOf({ [`CAPSTAN_TOOLS__${name}`]: text })[key]).toBe(value);
  expect(toolsOf({})[key]).toBe(fallback);
});
