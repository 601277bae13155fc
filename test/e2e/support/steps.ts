import { continuationPrompt } from '../../../src/runners/codex/prompts.ts';
import type { ScenarioInput, TurnInput } from '../../scripted-model/scenario.ts';

/** What the agent is asked in these tests. */
export const prompt = 'Write the steps';

/**
 * A job in steps: each is one model call whose command leaves its name in `steps.txt`, the last call says that it is done. The gates
 * `before N`, `tools N` and `end N` of call N stand open unless a test holds them.
 * @param commands of the steps; a string is a shell command that is run after the step has left its name
 */
export function steps(...commands: readonly string[]): ScenarioInput {
  const turns = commands.map((command, at): TurnInput => ({
    commands: [{ cmd: `echo ${String(at)} >> steps.txt; ${command}`, yieldTimeMs: 60_000 }],
    gates: gates(at),
  }));
  const last: TurnInput = {
    final: { summary: 'All steps are written.', files: [{ change: 'created', path: 'steps.txt' }] },
    gates: gates(commands.length),
  };
  return {
    continuations: [continuationPrompt.slice(0, 40)],
    conversations: [{ name: 'steps', when: prompt, turns: [...turns, last] }],
  };
}

function gates(at: number): { start: string; tools: string; end: string } {
  return { start: `before ${String(at)}`, tools: `tools ${String(at)}`, end: `end ${String(at)}` };
}

/** The patch that `count` steps leave. */
export function stepsPatch(count: number): string {
  return Array.from({ length: count }, (_, at) => `+${String(at)}`).join('\n');
}
