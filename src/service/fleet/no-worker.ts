import { AppError } from '../../runtime/app-error.ts';

/** Nobody takes jobs of these types, and nobody will be started. */
export function noWorker(types: readonly string[], why: string): AppError {
  const [first = ''] = types;
  const named = types.join(' and ');
  return new AppError('infrastructure', 'no_worker', `No worker takes ${named} jobs, and ${why}.`, {
    hint: `Start some with \`capstan start-services\`, or one with \`capstan worker --type ${first}\`.`,
    details: { types },
  });
}
