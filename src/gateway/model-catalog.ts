import { AppError } from '../runtime/app-error.ts';
import { reasoningEfforts } from '../contract/openai-parts.ts';

export interface OfferedModel {
  readonly id: string;
  /** The reasoning effort that the name stands for. */
  readonly effort: string | null;
}

export interface ModelCatalog {
  readonly offered: readonly OfferedModel[];
  /** Throws `model_not_found`. */
  find(id: string): OfferedModel;
}

/** The names under which one model is offered: `NAME` or `NAME=EFFORT` each, and its own. Throws `models_invalid`, kind configuration. */
export function createModelCatalog(names: readonly string[], model: string): ModelCatalog {
  const offered = new Map<string, OfferedModel>();
  for (const name of names) {
    const [id = '', effort = null] = name.split('=');
    const known = effort === null || (reasoningEfforts as readonly string[]).includes(effort);
    if (!/^[\w.:/-]{1,100}$/.test(id) || !known) {
      throw new AppError(
        'configuration',
        'models_invalid',
        `'${name}' in gateway.models is not NAME or NAME=EFFORT.`,
        {
          hint: `Efforts are ${reasoningEfforts.join(', ')}.`,
        },
      );
    }
    offered.set(id, { id, effort });
  }
  if (!offered.has(model)) offered.set(model, { id: model, effort: null });
  return {
    offered: [...offered.values()],
    find: (id) => {
      const found = offered.get(id);
      if (found !== undefined) return found;
      throw new AppError('user', 'model_not_found', `The model '${id.slice(0, 100)}' does not exist.`, {
        hint: 'GET /v1/models lists those that do.',
        details: { param: 'model' },
      });
    },
  };
}
