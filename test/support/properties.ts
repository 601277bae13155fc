import fc from 'fast-check';

/**
 * How many times more cases than usual a run draws, and from another seed each time: `FUZZ=50 npm run test:unit` looks for new
 * failures. Without it the cases are the same in every run, so that the tests say the same about the same code.
 */
const fuzz = Number(process.env['FUZZ'] ?? 0);

const usualRuns = 100;

/** Of a property that is checked with another number of cases than the usual hundred. */
export const runs = (usual: number): { numRuns: number } => ({ numRuns: usual * Math.max(1, fuzz) });

/** Of a property that takes longer than other tests do; longer with more cases. */
export const timeLimit = (usualMs: number): { timeout: number } => ({ timeout: usualMs * Math.max(1, fuzz) });

fc.configureGlobal({ ...runs(usualRuns), ...(fuzz > 0 ? {} : { seed: 1 }) });

export { fc };
