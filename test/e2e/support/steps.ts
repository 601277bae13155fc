import { continuationPrompt } from '../../../src/runners/codex/prompts.ts';
import type { ModelRequest } from '../../scripted-model/model-request.ts';
import type { ScenarioInput, TurnInput } from '../../scripted-model/scenario.ts';

/** What the agent is asked in these tests. */
export const prompt = 'Write the steps';

const continuations = [continuationPrompt.slice(0, 40)];
const final = {
  summary: 'All steps are written.',
  files: [{ change: 'created' as const, path: 'steps.txt' }],
};

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
  const last: TurnInput = { final, gates: gates(commands.length) };
  return { continuations, conversations: [{ name: 'steps', when: prompt, turns: [...turns, last] }] };
}

function gates(at: number): { start: string; tools: string; end: string } {
  return { start: `before ${String(at)}`, tools: `tools ${String(at)}`, end: `end ${String(at)}` };
}

/** What the patch holds when each of `count` steps was done once. */
export function stepsPatch(count: number): string {
  const lines = Array.from({ length: count }, (_, at) => `+${String(at)}\n`);
  return `@@ -0,0 +1${count === 1 ? '' : `,${String(count)}`} @@\n${lines.join('')}`;
}

/** As `steps`, by an agent that looks whether a command that was cut off did its work, and does it again where not. */
export function carefulSteps(count: number): ScenarioInput {
  const turn = (_index: number, { history }: ModelRequest): TurnInput => {
    const at = history.filter((item) => item.kind === 'result' && !item.text.includes('aborted')).length;
    const step = `grep -qx ${String(at)} steps.txt || echo ${String(at)} >> steps.txt`;
    return at < count ? { commands: [step] } : { final };
  };
  return { continuations, conversations: [{ name: 'careful steps', when: prompt, turns: turn }] };
}
