import { expect, test } from 'vitest';
import { describeConfig, describeSettings } from './describe-settings.ts';
import { loadConfig } from './load-config.ts';
import { platformPaths } from './platform-paths.ts';

test('every setting is shown with its value and where it comes from, a secret as one', () => {
  const environment = { CAPSTAN_HTTP__API_KEY: 'not-shown', XDG_CONFIG_HOME: '/nowhere' };
  const paths = platformPaths({ name: 'linux', home: '/nowhere', environment });
  const rows = describeConfig(
    loadConfig({ flags: { timeout: '90m', httpAllowedHosts: ['a', 'b'] }, environment, cwd: '/', paths }),
  );
  expect(rows.map(({ name }) => name)).toEqual(describeSettings().map(({ name }) => name));
  const shown = Object.fromEntries(rows.map(({ name, value, where }) => [name, [value, where]]));
  expect(shown).toMatchObject({
    'codex.timeout': ['90m', '--timeout'],
    'http.api_key': ['[secret]', 'CAPSTAN_HTTP__API_KEY'],
    'http.allowed_hosts': ['a, b', '--http-allowed-hosts'],
    'codex.bin': ['not set', 'default'],
  });
  expect(JSON.stringify(rows)).not.toContain('not-shown');
});
