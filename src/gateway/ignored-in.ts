import type { FunctionTool } from '../contract/openai-parts.ts';

/** What a request said that was accepted and has no effect. */
export function ignoredIn(
  request: object,
  fields: readonly string[],
  tools: readonly FunctionTool[],
): readonly string[] {
  const said = new Map<string, unknown>(Object.entries(request));
  return [
    ...fields.filter((name) => said.get(name) !== undefined),
    ...(tools.some(({ strict }) => strict === true) ? ['tools.strict'] : []),
  ];
}
