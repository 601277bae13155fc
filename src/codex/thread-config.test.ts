import { describe, expect, test } from 'vitest';
import { threadConfig } from './thread-config.ts';

const request = {
  jobId: 'j',
  attempt: 3,
  workspaceDir: '/data/jobs/j/workspace',
  homeDir: '/data/jobs/j/home',
  tmpDir: '/data/jobs/j/home/tmp',
  model: 'gpt-5.5',
  sandboxMode: 'workspace-write' as const,
  network: false,
  provider: { baseUrl: 'http://127.0.0.1:1/v1', token: 'token' },
  deniedPaths: ['/data'],
};
const surroundings = { commandPath: '/usr/bin:/bin', codexHome: '/codex' };

describe('threadConfig', () => {
  test('the folder is untrusted, the environment closed, CODEX_HOME denied', () => {
    expect(threadConfig(request, surroundings)).toMatchObject({
      projects: { '/data/jobs/j/workspace': { trust_level: 'untrusted' } },
      default_permissions: 'job',
      permissions: {
        job: { filesystem: { '/codex': 'deny', '/data': 'deny' }, network: { enabled: false } },
      },
      shell_environment_policy: {
        inherit: 'none',
        set: {
          HOME: '/data/jobs/j/home',
          PATH: '/usr/bin:/bin',
          TMPDIR: '/data/jobs/j/home/tmp',
          CAPSTAN_ATTEMPT: 'j:3',
        },
      },
      approval_policy: 'never',
      web_search: 'disabled',
    });
  });

  test('the model is reached with the token of the attempt', () => {
    expect(threadConfig(request, surroundings)).toMatchObject({
      model_provider: 'job',
      model_providers: {
        job: { base_url: 'http://127.0.0.1:1/v1', wire_api: 'responses', experimental_bearer_token: 'token' },
      },
    });
  });

  test('without a provider the login in CODEX_HOME is used', () => {
    expect(threadConfig({ ...request, provider: null }, surroundings)).not.toHaveProperty('model_provider');
  });

  test('danger-full-access says so and names no profile', () => {
    const config = threadConfig({ ...request, sandboxMode: 'danger-full-access' }, surroundings);
    expect(config).toMatchObject({ sandbox_mode: 'danger-full-access', approval_policy: 'never' });
    expect(config).not.toHaveProperty('permissions');
  });
});
