import { spawnSync } from 'node:child_process';
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { tempDir } from '../support/temp-dir.ts';

const checkout = path.join(import.meta.dirname, '../..');
const read = (file: string): string => readFileSync(path.join(checkout, 'deploy', file), 'utf8');

interface Service {
  readonly build: { readonly target: string };
  readonly user: string;
  readonly read_only: boolean;
  readonly cap_drop: readonly string[];
  readonly security_opt: readonly string[];
  readonly volumes: readonly string[];
  readonly ports?: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly secrets?: readonly string[];
  readonly privileged?: boolean;
}

const { services } = parse(read('compose.yaml'), { merge: true }) as {
  readonly services: Readonly<Record<string, Service>>;
};

function generate(...args: readonly string[]): number | null {
  const script = path.join(checkout, 'scripts/generate-seccomp.ts');
  return spawnSync(process.execPath, [script, ...args], { cwd: checkout, stdio: 'ignore' }).status;
}

test("deploy/seccomp.json is the launcher's own profile, and the check of that can fail", async () => {
  expect(generate('--check')).toBe(0);
  await using dir = await tempDir();
  writeFileSync(dir.join('seccomp.json'), '{}');
  expect(generate('--check', dir.join('seccomp.json'))).toBe(1);
});

test('compose.yaml has the service and one worker of each type, each from its target of the Dockerfile', () => {
  const targets = Array.from(read('Dockerfile').matchAll(/^FROM \S+ AS (\S+)$/gm), (match) => match[1]);
  expect(Object.keys(services).sort()).toEqual(['codex', 'drawio', 'notebook', 'plantuml', 'service']);
  for (const [name, { build }] of Object.entries(services)) {
    expect(build.target).toBe(name);
    expect(targets).toContain(name);
  }
});

test('compose.yaml gives no container rights, the engine, or an address that others reach; keys go to agents alone', () => {
  for (const [name, service] of Object.entries(services)) {
    expect(service).toMatchObject({ read_only: true, cap_drop: ['ALL'] });
    expect(service.security_opt).toEqual(['no-new-privileges:true', 'seccomp:seccomp.json']);
    expect(service.privileged).toBeUndefined();
    expect(service.volumes).toEqual(['${DATA_DIR}:${DATA_DIR}']);
    for (const port of service.ports ?? []) expect(port).toMatch(/^127\.0\.0\.1:/);
    expect(service.secrets ?? []).toEqual(
      { service: ['openai_api_key', 'http_api_key'], codex: ['openai_api_key'] }[name] ?? [],
    );
    for (const variable of Object.keys(service.environment)) expect(variable).not.toMatch(/KEY$/);
  }
});

test('docs/docker.md explains every code that the launcher of containers fails with, and no other', () => {
  const sources = globSync(
    [
      'src/launcher/*.ts',
      'src/launcher/docker/*.ts',
      'src/config/worker-settings.ts',
      'src/codex/check-sandbox.ts',
    ],
    {
      cwd: checkout,
    },
  );
  const code = sources
    .filter((file) => !file.endsWith('.test.ts'))
    .map((file) => readFileSync(path.join(checkout, file), 'utf8'))
    .join('\n');
  const thrown = code.matchAll(/new AppError\(\s*'\w+',\s*'(\w+)'/g);
  const explained = readFileSync(path.join(checkout, 'docs/docker.md'), 'utf8').matchAll(
    /^\| `(\w+_\w+)` /gm,
  );
  const codes = (found: Iterable<RegExpMatchArray>): readonly string[] =>
    [...new Set(Array.from(found, (match) => match[1] ?? ''))].sort();
  expect(codes(explained)).toEqual(codes(thrown));
});
