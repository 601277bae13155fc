import type { JobEventBody } from '../../contract/event.ts';
import { shownPath } from '../item-event.ts';
import { tailText } from '../tail-text.ts';
import { isKnownItem, type ExecItem, type OtherExecItem } from './exec-event.ts';

const statuses = {
  in_progress: 'running',
  completed: 'completed',
  failed: 'failed',
  declined: 'declined',
} as const;
const changes = { add: 'created', delete: 'deleted', update: 'modified' } as const;

/** What an item of `codex exec` means for the job; null for what is of no interest. */
export function execItemEvent(
  item: ExecItem | OtherExecItem,
  ended: 'running' | 'ended',
  workspaceDir: string,
): JobEventBody | null {
  if (!isKnownItem(item)) {
    const status = item.status === undefined || item.status === 'in_progress' ? ended : item.status;
    return {
      type: 'agent.tool',
      itemId: item.id,
      name: item.type,
      status: status === 'ended' ? 'completed' : status,
    };
  }
  switch (item.type) {
    case 'agent_message':
      return ended === 'ended' && item.text !== ''
        ? { type: 'agent.message', itemId: item.id, text: item.text }
        : null;
    case 'reasoning':
      return ended === 'ended' && item.text !== ''
        ? { type: 'agent.reasoning', itemId: item.id, text: item.text }
        : null;
    case 'command_execution':
      return {
        type: 'agent.command',
        itemId: item.id,
        command: item.command,
        status: statuses[item.status],
        exitCode: item.exit_code,
        output: tailText(item.aggregated_output),
      };
    case 'file_change':
      return {
        type: 'agent.file_change',
        itemId: item.id,
        status: statuses[item.status],
        files: item.changes.map((change) => ({
          path: shownPath(change.path, workspaceDir),
          change: changes[change.kind],
        })),
      };
    case 'error':
      // exec puts warnings into items of this type; what ends the turn comes as turn.failed.
      return { type: 'job.warning', message: item.message };
  }
}
