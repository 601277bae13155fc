import path from 'node:path';
import type { JsonObject } from './json.ts';
import { permissionProfile } from './permission-profile.ts';
import type { AgentThreadRequest } from './driver.ts';

/** The variable by which every process of an attempt is known, `<jobId>:<attempt>`. */
export const attemptVariable = 'CAPSTAN_ATTEMPT';

export function attemptMark(request: Pick<AgentThreadRequest, 'jobId' | 'attempt'>): string {
  return `${request.jobId}:${request.attempt}`;
}

export interface ThreadSurroundings {
  /** The PATH of the agent's commands. */
  readonly commandPath: string;
  readonly codexHome: string;
}

type ConfigInput = Omit<
  AgentThreadRequest,
  'prompt' | 'resume' | 'signal' | 'onEvent' | 'onThread' | 'developerInstructions'
>;

/** Everything that isolates one thread from the others, from us and from its own folder; passed again when the thread is resumed. */
export function threadConfig(
  request: ConfigInput,
  { commandPath, codexHome }: ThreadSurroundings,
): JsonObject {
  const deniedPaths = [...request.deniedPaths, codexHome];
  const profile = permissionProfile({ ...request, deniedPaths });
  return {
    ...permissions(profile),
    // A trusted folder may bring its own model, MCP servers and hooks, which run outside the sandbox.
    projects: { [request.workspaceDir]: { trust_level: 'untrusted' } },
    shell_environment_policy: {
      inherit: 'none',
      set: {
        HOME: request.homeDir,
        PATH: commandPath,
        TMPDIR: request.tmpDir,
        // A repository around the data folder is none of the job's, also where no sandbox hides it.
        GIT_CEILING_DIRECTORIES: path.dirname(request.workspaceDir),
        [attemptVariable]: attemptMark(request),
      },
    },
    ...providerConfig(request.provider),
    ...unattendedConfig,
  };
}

function permissions(profile: ReturnType<typeof permissionProfile>): JsonObject {
  return profile === null
    ? { sandbox_mode: 'danger-full-access' }
    : { default_permissions: 'job', permissions: { job: { ...profile } as unknown as JsonObject } };
}

/** The model's place and the token for it; nothing where the login kept in CODEX_HOME is used. */
export function providerConfig(given: AgentThreadRequest['provider']): JsonObject {
  if (given === null) return {};
  return {
    model_provider: 'job',
    model_providers: {
      job: {
        name: 'job',
        base_url: given.baseUrl,
        wire_api: 'responses',
        experimental_bearer_token: given.token,
      },
    },
  };
}

/** What an unattended thread has no use for: each of these reaches outside, asks somebody, or starts something of its own. */
const featuresOff = [
  'apps',
  'auth_elicitation',
  'browser_use',
  'browser_use_external',
  'browser_use_full_cdp_access',
  'code_mode_host',
  'computer_use',
  'daemon_auto_start',
  'goals',
  'guardian_approval',
  'hooks',
  'image_generation',
  'in_app_browser',
  'in_app_chat',
  'memories',
  'plugin_sharing',
  'plugins',
  'remote_plugin',
  'request_permissions_tool',
  // It writes the environment of a login shell to disk and wraps every command in a long script.
  'shell_snapshot',
  'skill_mcp_dependency_install',
  'skill_search',
  'sleep_tool',
  'tool_call_mcp_elicitation',
  'tool_suggest',
  'workspace_dependencies',
] as const;

/** Nobody is asked, nothing of the folder or the user is loaded. */
export const unattendedConfig = {
  approval_policy: 'never',
  web_search: 'disabled',
  // The folder alone, not those above it: with denied folders Codex looks for each AGENTS.md in a sandbox of its own, about 30 ms apiece.
  project_root_markers: [],
  agents: { enabled: false },
  skills: { include_instructions: false, bundled: { enabled: false } },
  features: Object.fromEntries(featuresOff.map((name) => [name, false])),
} satisfies JsonObject;
