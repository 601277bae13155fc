/**
 * Writes the part of the pinned Codex CLI's protocol that src/codex uses: the types named in `roots` and all that they refer to.
 * `--check` writes nothing and fails where the pinned CLI says something else than what is committed.
 */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const target = path.join(import.meta.dirname, '../src/codex/protocol/generated');
const shim = path.join(import.meta.dirname, '../node_modules/@openai/codex/bin/codex.js');

const roots = [
  'InitializeParams',
  'InitializeResponse',
  'ServerRequest',
  'ApplyPatchApprovalResponse',
  'ExecCommandApprovalResponse',
  'v2/AgentMessageDeltaNotification',
  'v2/CommandExecutionOutputDeltaNotification',
  'v2/CommandExecutionRequestApprovalResponse',
  'v2/ErrorNotification',
  'v2/ItemCompletedNotification',
  'v2/ItemStartedNotification',
  'v2/ThreadTokenUsageUpdatedNotification',
  'v2/TurnCompletedNotification',
  'v2/TurnStartedNotification',
  'v2/WarningNotification',
  'v2/DynamicToolCallResponse',
  'v2/RawResponseCompletedNotification',
  'v2/RawResponseItemCompletedNotification',
  'v2/FileChangeRequestApprovalResponse',
  'v2/McpServerElicitationRequestResponse',
  'v2/PermissionsRequestApprovalResponse',
  'v2/ThreadBackgroundTerminalsCleanParams',
  'v2/ThreadBackgroundTerminalsCleanResponse',
  'v2/ThreadForkParams',
  'v2/ThreadForkResponse',
  'v2/ThreadInjectItemsParams',
  'v2/ThreadInjectItemsResponse',
  'v2/ThreadResumeParams',
  'v2/ThreadResumeResponse',
  'v2/ThreadStartParams',
  'v2/ThreadStartResponse',
  'v2/ThreadUnsubscribeParams',
  'v2/ThreadUnsubscribeResponse',
  'v2/ToolRequestUserInputResponse',
  'v2/TurnInterruptParams',
  'v2/TurnInterruptResponse',
  'v2/TurnStartParams',
  'v2/TurnStartResponse',
];

type Files = Map<string, string>;

async function generate(): Promise<Files> {
  const scratch = await mkdtemp(path.join(tmpdir(), 'capstan-codex-protocol-'));
  try {
    const out = path.join(scratch, 'ts');
    const env = { HOME: scratch, CODEX_HOME: scratch, PATH: process.env['PATH'] };
    await run(process.execPath, [shim, 'app-server', 'generate-ts', '--experimental', '--out', out], { env });
    const { stdout } = await run(process.execPath, [shim, '--version'], { env });
    const files = await closure(out);
    files.set('version.ts', versionFile(stdout));
    return files;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

function versionFile(said: string): string {
  const version = /\d+\.\d+\.\d+\S*/.exec(said)?.[0];
  if (version === undefined) throw new Error(`codex --version said ${said}`);
  return `// GENERATED CODE! DO NOT MODIFY BY HAND!\n\n/** The Codex CLI whose protocol this folder holds. */\nexport const protocolVersion = '${version}';\n`;
}

/** The roots and everything that they import, with `.ts` on the imports so that Node and tsc find them. */
async function closure(dir: string): Promise<Files> {
  const files: Files = new Map();
  const queue = [...roots];
  for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
    if (files.has(`${name}.ts`)) continue;
    const text = await readFile(path.join(dir, `${name}.ts`), 'utf8');
    for (const [, specifier = ''] of text.matchAll(/ from "(\.[^"]+)"/g)) {
      queue.push(path.posix.join(path.posix.dirname(name), specifier));
    }
    files.set(`${name}.ts`, text.replaceAll(/( from "\.[^"]+)"/g, '$1.ts"'));
  }
  return files;
}

async function committed(): Promise<Files> {
  const files: Files = new Map();
  const entries = await readdir(target, { recursive: true, withFileTypes: true }).catch(() => []);
  for (const entry of entries.filter((found) => found.isFile())) {
    const full = path.join(entry.parentPath, entry.name);
    files.set(path.relative(target, full), await readFile(full, 'utf8'));
  }
  return files;
}

function differences(now: Files, before: Files): string[] {
  const names = [...new Set([...now.keys(), ...before.keys()])].sort();
  return names.filter((name) => now.get(name) !== before.get(name));
}

const wanted = await generate();
const changed = differences(wanted, await committed());
if (!process.argv.includes('--check')) {
  await rm(target, { recursive: true, force: true });
  for (const [name, text] of wanted) {
    await mkdir(path.dirname(path.join(target, name)), { recursive: true });
    await writeFile(path.join(target, name), text);
  }
  console.log(`${wanted.size} files written, ${changed.length} changed`);
} else if (changed.length > 0) {
  console.error(`The pinned Codex CLI's protocol differs from src/codex/protocol/generated in:`);
  for (const name of changed) console.error(`  ${name}`);
  console.error('Run `node scripts/generate-codex-protocol.ts`, then look at what changed for src/codex.');
  process.exitCode = 1;
}
