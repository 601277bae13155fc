import path from 'node:path';
import type { JsonObject } from '../codex/json.ts';
import { providerConfig, unattendedConfig } from '../codex/thread-config.ts';

export interface ThreadSettings {
  readonly sandboxMode: 'read-only' | 'workspace-write';
  /** The empty folder of this thread. */
  readonly folder: string;
  readonly codexBin: string;
  readonly commandPath: string;
  readonly provider: { readonly baseUrl: string; readonly token: string } | null;
  readonly verbosity: string | null;
}

/** What the model is told to be, in place of Codex's own text, which is about a shared workspace that is not there. */
export const baseInstructions = `You are Codex, reached through an API. Each conversation comes from a program, and your answer goes back to it as it is: nobody can be asked, no files of the user are at hand. Follow the instructions of the conversation, answer in the language and format that it asks for, and give the answer itself, without a report on how you came to it.`;

/** The name of the profile that a thread's turns run under. */
export const threadProfile = 'gateway';

/** Everything that keeps a thread of the gateway from the machine and from other threads; passed again on resume and fork. */
export function gatewayThreadConfig(settings: ThreadSettings): JsonObject {
  const { folder, sandboxMode, commandPath, provider, verbosity, codexBin } = settings;
  return {
    ...unattendedConfig,
    features: { ...unattendedConfig.features, ...(sandboxMode === 'read-only' ? commandsOff : {}) },
    default_permissions: threadProfile,
    permissions: {
      [threadProfile]: {
        filesystem: {
          // Programs and their libraries, without which no command starts.
          ':minimal': 'read',
          // The sandbox starts commands through Codex itself.
          [path.dirname(codexBin)]: 'read',
          [folder]: sandboxMode === 'read-only' ? 'read' : 'write',
        },
        network: { enabled: false },
      },
    },
    projects: { [folder]: { trust_level: 'untrusted' } },
    shell_environment_policy: {
      inherit: 'none',
      set: { HOME: folder, PATH: commandPath, TMPDIR: folder },
    },
    include_permissions_instructions: sandboxMode !== 'read-only',
    include_environment_context: false,
    ...(verbosity === null ? {} : { model_verbosity: verbosity }),
    ...providerConfig(provider),
  };
}

/** Whoever only answers needs none of these; calls of what is left (apply_patch) find no environment to work in. */
const commandsOff = { shell_tool: false, unified_exec: false, view_image: false } as const;
