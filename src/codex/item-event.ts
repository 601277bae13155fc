import path from 'node:path';
import type { JobEventBody } from '../contract/event.ts';
import type { FileChange } from '../contract/job.ts';
import type { ThreadItem } from './protocol/generated/v2/ThreadItem.ts';
import { isInside } from './is-inside.ts';
import { tailText } from './tail-text.ts';

const itemStatus = {
  inProgress: 'running',
  completed: 'completed',
  failed: 'failed',
  declined: 'declined',
} as const;

/** What an item that started or ended means for the job; null for what is of no interest (the prompt itself, an empty message). */
export function itemEvent(
  item: ThreadItem,
  phase: 'started' | 'completed',
  workspaceDir: string,
): JobEventBody | null {
  switch (item.type) {
    case 'agentMessage':
      return phase === 'completed' && item.text !== ''
        ? { type: 'agent.message', itemId: item.id, text: item.text }
        : null;
    case 'reasoning': {
      const text = item.summary.join('\n\n');
      return phase === 'completed' && text !== '' ? { type: 'agent.reasoning', itemId: item.id, text } : null;
    }
    case 'commandExecution':
      return {
        type: 'agent.command',
        itemId: item.id,
        command: item.command,
        status: itemStatus[item.status],
        exitCode: item.exitCode,
        output: tailText(item.aggregatedOutput ?? ''),
      };
    case 'fileChange':
      return {
        type: 'agent.file_change',
        itemId: item.id,
        status: itemStatus[item.status],
        files: item.changes.flatMap((change) => fileChanges(change, workspaceDir)),
      };
    case 'userMessage':
    case 'functionCallOutput':
      return null;
    case 'mcpToolCall':
      return tool(item.id, `${item.server}.${item.tool}`, item.status);
    case 'dynamicToolCall':
      return tool(item.id, item.tool, item.status);
    default:
      return tool(item.id, item.type, phase === 'started' ? 'inProgress' : 'completed');
  }
}

function tool(itemId: string, name: string, status: string): JobEventBody {
  return { type: 'agent.tool', itemId, name, status: status === 'inProgress' ? 'running' : status };
}

type Change = Extract<ThreadItem, { type: 'fileChange' }>['changes'][number];

function fileChanges({ path: changed, kind }: Change, workspaceDir: string): FileChange[] {
  const name = shownPath(changed, workspaceDir);
  if (kind.type === 'add') return [{ path: name, change: 'created' }];
  if (kind.type === 'delete') return [{ path: name, change: 'deleted' }];
  if (kind.move_path === null) return [{ path: name, change: 'modified' }];
  return [
    { path: name, change: 'deleted' },
    { path: shownPath(kind.move_path, workspaceDir), change: 'created' },
  ];
}

/** Relative to the workspace with `/`, where it lies inside; as Codex names it otherwise. */
export function shownPath(name: string, workspaceDir: string): string {
  if (!path.isAbsolute(name)) return name;
  if (!isInside(name, workspaceDir)) return name;
  return path.relative(workspaceDir, name).split(path.sep).join('/');
}
