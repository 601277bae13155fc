/** The boundaries of .dependency-cruiser.cjs, and that the tool really looked: with a TypeScript it cannot use it passes after seeing nothing. */
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { cruise, format, type ICruiseOptions, type ICruiseResult } from 'dependency-cruiser';
import extractDepcruiseConfig from 'dependency-cruiser/config-utl/extract-depcruise-config';
import extractTsConfig from 'dependency-cruiser/config-utl/extract-ts-config';

const configuration: unknown = await extractDepcruiseConfig('./.dependency-cruiser.cjs');
const { options, ...ruleSet } = configuration as { options: ICruiseOptions };
const cruised = await cruise(['src'], { ...options, ruleSet, validate: true }, undefined, {
  tsConfig: extractTsConfig('tsconfig.json'),
});
const result = cruised.output as ICruiseResult;

const seen = new Map(result.modules.map((module) => [module.source, module]));
// Not with glob('src/…'): knip takes such a call for an import of all that it matches, and then finds nothing unused.
const sources = (await readdir('src', { recursive: true })).filter((file) => file.endsWith('.ts'));
const unseen = sources.map((file) => path.posix.join('src', file)).filter((file) => !seen.has(file));
const edges = result.modules.reduce((sum, module) => sum + module.dependencies.length, 0);

console.log((await format(result, { outputType: 'err' })).output);
if (unseen.length > 0 || edges === 0) {
  console.log(`dependency-cruiser did not see ${unseen.length} files, and ${edges} imports in the others:`);
  for (const file of unseen) console.log(`  ${file}`);
}
process.exitCode = result.summary.error > 0 || unseen.length > 0 || edges === 0 ? 1 : 0;
