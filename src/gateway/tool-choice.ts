import type { FunctionTool } from '../contract/openai-parts.ts';
import { badRequest } from './bad-request.ts';
import type { ClientTool, HistoryItem } from './turn.ts';

/** Which of the client's tools the model may, or must, call. */
export type ToolChoice = 'none' | 'auto' | 'required' | { readonly name: string };

export interface OfferedTools {
  readonly tools: readonly ClientTool[];
  /** The answer must be a call: without one the request fails. */
  readonly mustCall: boolean;
}

/** The tools to offer. Codex cannot be made to call one: it is told so, and held to it at the end. */
export function chooseTools(tools: readonly ClientTool[], choice: ToolChoice): OfferedTools {
  const names = tools.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw badRequest(`Two tools are called '${twice}'.`, 'tools');
  if (choice === 'none') return { tools: [], mustCall: false };
  if (choice === 'auto') return { tools, mustCall: false };
  const offered = choice === 'required' ? tools : tools.filter(({ name }) => name === choice.name);
  if (offered.length === 0) {
    throw badRequest(
      choice === 'required' ? 'There are no tools to choose from.' : `There is no tool '${choice.name}'.`,
      'tool_choice',
    );
  }
  return { tools: offered, mustCall: true };
}

export function clientTool({ name, description, parameters }: FunctionTool): ClientTool {
  return {
    name,
    description: description ?? '',
    parameters: parameters ?? { type: 'object', properties: {} },
  };
}

/** What Codex has no setting for and the model is told instead. */
export function answerInstructions(
  { tools, mustCall }: OfferedTools,
  format?: string,
): readonly HistoryItem[] {
  const names = tools.map(({ name }) => name).join(', ');
  const which = tools.length === 1 ? 'the tool' : 'one of the tools';
  return [
    ...(mustCall ? [developerMessage(`Answer by calling ${which} ${names}, and with nothing else.`)] : []),
    ...(format === 'json_object' ? [developerMessage('Answer with one JSON object and nothing else.')] : []),
  ];
}

export function developerMessage(text: string): HistoryItem {
  return { type: 'message', role: 'developer', content: [{ type: 'input_text', text }] };
}
