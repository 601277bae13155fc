import type { JobEvent, JobPhase } from '../contract/event.ts';
import type { Colors } from './colors.ts';
import { agentTalk } from './agent-talk.ts';
import { formatDuration } from './render-job.ts';
import { oneLine } from './safe-text.ts';
import { shownCommand } from './shown-command.ts';

export const phaseWords: Readonly<Record<JobPhase, string>> = {
  preparing: 'preparing a workspace',
  starting_agent: 'starting the agent',
  resuming_agent: 'resuming the agent where it was stopped',
  agent_working: 'the agent works',
  converting: 'converting the files',
  collecting: 'collecting the result',
  checking: 'checking the result',
};

/** What an event says to a person, in one line; null for those that say nothing new. */
export function renderEvent(event: JobEvent, colors: Colors, width: number): string | null {
  const line = (mark: string, text: string): string => `${mark} ${oneLine(text, width - 2)}`;
  switch (event.type) {
    case 'job.accepted':
      return line(colors.dim('·'), `job ${event.jobId} accepted`);
    case 'job.phase':
      return line(colors.dim('·'), phaseWords[event.phase]);
    case 'agent.message': {
      const talk = agentTalk(event.text);
      return talk === '' ? null : line(colors.cyan('›'), talk);
    }
    case 'agent.command':
      // While it runs it is told again with each new piece of output.
      if (event.status === 'running')
        return event.output === '' ? line(colors.dim('$'), shownCommand(event.command)) : null;
      if (event.status === 'completed') return null;
      return line(colors.yellow('$'), failedCommand(event, width - 2));
    case 'agent.file_change':
      if (event.status !== 'completed') return null;
      return line(colors.green('±'), event.files.map(({ path, change }) => `${change} ${path}`).join(', '));
    case 'agent.declined':
      return line(colors.yellow('!'), `declined: ${event.request} (${event.reason})`);
    case 'agent.error':
      return line(colors.yellow('!'), event.willRetry ? `${event.message} (trying again)` : event.message);
    case 'job.check':
      return line(event.check.passed ? colors.green('✓') : colors.red('✗'), `check: ${event.check.command}`);
    case 'job.warning':
      return line(colors.yellow('!'), event.message);
    case 'job.requeued':
      return line(
        colors.yellow('↻'),
        `back in the queue${waitOf(event)}${event.failure === undefined ? '' : `: ${event.failure.message}`}`,
      );
    case 'job.parked':
      return line(colors.yellow('‖'), `parked until ${event.until}: ${event.failure.message}`);
    case 'job.cancel_requested':
      return line(colors.yellow('!'), 'cancelling');
    case 'job.started':
    case 'agent.thread':
    case 'agent.message.delta':
    case 'agent.reasoning':
    case 'agent.tool':
    case 'agent.usage':
    case 'job.finished':
      return null;
  }
}

/** The command is cut before how it ended is. */
function failedCommand(event: Extract<JobEvent, { readonly type: 'agent.command' }>, width: number): string {
  const ending = `: ${event.exitCode === null ? event.status : `exit ${event.exitCode}`}`;
  return oneLine(shownCommand(event.command), width - ending.length) + ending;
}

/** How long it rests before it is tried again, where that is long enough to notice. */
function waitOf({ at, runAt }: { readonly at: string; readonly runAt: string }): string {
  const ms = Date.parse(runAt) - Date.parse(at);
  return ms < 1_000 ? '' : ` for ${formatDuration(ms)}`;
}
