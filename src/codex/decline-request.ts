import type { ApplyPatchApprovalResponse } from './protocol/generated/ApplyPatchApprovalResponse.ts';
import type { ExecCommandApprovalResponse } from './protocol/generated/ExecCommandApprovalResponse.ts';
import type { ServerRequest } from './protocol/generated/ServerRequest.ts';
import type { CommandExecutionRequestApprovalResponse } from './protocol/generated/v2/CommandExecutionRequestApprovalResponse.ts';
import type { DynamicToolCallResponse } from './protocol/generated/v2/DynamicToolCallResponse.ts';
import type { FileChangeRequestApprovalResponse } from './protocol/generated/v2/FileChangeRequestApprovalResponse.ts';
import type { McpServerElicitationRequestResponse } from './protocol/generated/v2/McpServerElicitationRequestResponse.ts';
import type { PermissionsRequestApprovalResponse } from './protocol/generated/v2/PermissionsRequestApprovalResponse.ts';
import type { ToolRequestUserInputResponse } from './protocol/generated/v2/ToolRequestUserInputResponse.ts';

type Method = ServerRequest['method'];

/** How a request of the app-server is refused: with a result in its own shape where it has one for that, with an error where not. */
export type Refusal =
  { readonly result: unknown } | { readonly error: { readonly code: number; readonly message: string } };

const nobody = 'Capstan runs unattended: nobody is there to approve or answer.';

/** How each is refused in its own shape; null for those that have none, which get an error. */
export const refusals = {
  'item/commandExecution/requestApproval': {
    decision: 'decline',
  } satisfies CommandExecutionRequestApprovalResponse,
  'item/fileChange/requestApproval': { decision: 'decline' } satisfies FileChangeRequestApprovalResponse,
  'item/permissions/requestApproval': {
    permissions: {},
    scope: 'turn',
  } satisfies PermissionsRequestApprovalResponse,
  'item/tool/requestUserInput': { answers: {} } satisfies ToolRequestUserInputResponse,
  'mcpServer/elicitation/request': {
    action: 'decline',
    content: null,
    _meta: null,
  } satisfies McpServerElicitationRequestResponse,
  'item/tool/call': {
    contentItems: [{ type: 'inputText', text: 'There is no such tool.' }],
    success: false,
  } satisfies DynamicToolCallResponse,
  applyPatchApproval: { decision: { denied: { rejection: nobody } } } satisfies ApplyPatchApprovalResponse,
  execCommandApproval: { decision: { denied: { rejection: nobody } } } satisfies ExecCommandApprovalResponse,
  // These three ask the client for what it does not have; there is no shape for "no".
  'account/chatgptAuthTokens/refresh': null,
  'attestation/generate': null,
  'currentTime/read': null,
} satisfies Record<Method, object | null>;

/** What a job's events say of a refused request. */
export function refusalReason(params: unknown): string {
  const about = ['command', 'tool', 'reason'].map((key) => text(params, key)).find((value) => value !== null);
  return about === undefined ? nobody : `${nobody} It was about: ${about}`;
}

function text(from: unknown, key: string): string | null {
  if (typeof from !== 'object' || from === null) return null;
  const value = (from as Record<string, unknown>)[key];
  return typeof value === 'string' && value !== '' ? value.slice(0, 500) : null;
}
