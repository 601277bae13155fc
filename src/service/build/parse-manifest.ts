import type { z } from 'zod';
import { manifestSchema } from '../../contract/build-manifest.ts';
import { nearestName } from '../../config/nearest-name.ts';
import { graphProblems, type GraphProblem } from '../../domain/build-graph.ts';
import type { BuildEntry, BuildType } from './build-type.ts';
import { manifestError, type ManifestProblem } from './manifest-error.ts';
import { readManifestSource, type ManifestSource } from './manifest-source.ts';

export interface ParsedManifest {
  readonly name: string | null;
  /** As it was written. */
  readonly output: string;
  /** In the order of the file. */
  readonly entries: readonly BuildEntry[];
  /** Where in the file an entry stands. */
  at(entry: BuildEntry, key?: string): ManifestProblem['at'];
}

const common = ['id', 'type', 'needs', 'uses'];
type Types = ReadonlyMap<string, BuildType>;

/** Throws `invalid_manifest` with all that is wrong, each with its line and column. */
export function parseManifest(file: string, text: string, types: Types): ParsedManifest {
  const source = readManifestSource(file, text);
  const parsed = manifestSchema.safeParse(source.value ?? {});
  if (!parsed.success) throw manifestError(file, issuesOf(parsed.error, source, []));
  const problems: ManifestProblem[] = [];
  const raw = parsed.data.jobs.map((job, index) => {
    const { id, type, needs, uses, ...rest } = job;
    const known = types.get(type);
    if (known === undefined) {
      problems.push({ at: source.at(['jobs', index, 'type']), message: unknownType(type, types) });
      return { id: id ?? null, type, needs, uses, options: {} };
    }
    const options = known.optionsSchema.safeParse(rest);
    if (!options.success) {
      problems.push(...issuesOf(options.error, source, ['jobs', index]));
      return { id: id ?? idOf(known, rest), type, needs, uses, options: {} };
    }
    return { id: id ?? known.defaultId(options.data), type, needs, uses, options: options.data };
  });
  const ids = nameAll(
    raw.map(({ id, type }, index) => ({ given: parsed.data.jobs[index]?.id ?? null, wanted: id ?? type })),
  );
  const entries: BuildEntry[] = raw.map((entry, index) => ({ ...entry, id: ids[index] ?? entry.type }));
  problems.push(
    ...doubles(
      parsed.data.jobs.map(({ id }) => id),
      source,
    ),
  );
  problems.push(...graphProblems(entries).map((problem) => describe(problem, entries, source)));
  if (problems.length > 0) throw manifestError(file, problems);
  return {
    name: parsed.data.name ?? null,
    output: parsed.data.output,
    entries,
    at: (entry, key) => {
      const index = entries.indexOf(entry);
      return source.at(key === undefined ? ['jobs', index] : ['jobs', index, key]);
    },
  };
}

/** The id that a job would have if the rest of it were right: others may need it. */
function idOf({ defaultId }: BuildType, options: Readonly<Record<string, unknown>>): string | null {
  try {
    return defaultId(options);
  } catch {
    return null; // What the id comes from is what is wrong.
  }
}

/** Ids that nobody gave get a number where they are taken. */
function nameAll(
  wishes: readonly { readonly given: string | null; readonly wanted: string }[],
): readonly string[] {
  const taken = new Set(wishes.flatMap(({ given }) => (given === null ? [] : [given])));
  return wishes.map(({ given, wanted }) => {
    if (given !== null) return given;
    let id = wanted;
    for (let count = 2; taken.has(id); count += 1) id = `${wanted}-${count}`;
    taken.add(id);
    return id;
  });
}

function doubles(ids: readonly (string | undefined)[], source: ManifestSource): readonly ManifestProblem[] {
  return ids.flatMap((id, index) => {
    const first = ids.indexOf(id);
    if (id === undefined || first === index) return [];
    const line = source.at(['jobs', first, 'id'])?.line ?? 0;
    return [
      { at: source.at(['jobs', index, 'id']), message: `the id '${id}' is taken by the job in line ${line}` },
    ];
  });
}

function describe(
  problem: GraphProblem,
  entries: readonly BuildEntry[],
  source: ManifestSource,
): ManifestProblem {
  const id = problem.kind === 'unknown' ? problem.id : (problem.path[0] ?? '');
  const need = problem.kind === 'unknown' ? problem.need : (problem.path[1] ?? '');
  const index = entries.findIndex((entry) => entry.id === id);
  const place = entries[index]?.needs.indexOf(need) ?? 0;
  const at = source.at(['jobs', index, 'needs', place]);
  if (problem.kind === 'cycle')
    return { at, message: `jobs need each other in a circle: ${problem.path.join(' → ')}` };
  const ids = entries.map((entry) => entry.id);
  const nearest = nearestName(need, ids);
  return {
    at,
    message: `needs '${need}', which is no job's id${nearest === null ? `; there are: ${ids.slice(0, 10).join(', ')}` : `; did you mean ${nearest}?`}`,
  };
}

function unknownType(type: string, types: Types): string {
  const known = [...types.keys()];
  const nearest = nearestName(type, known);
  return `there is no job type '${type}'; ${nearest === null ? `there are: ${known.join(', ')}` : `did you mean ${nearest}?`}`;
}

function issuesOf(
  error: z.ZodError,
  source: ManifestSource,
  prefix: readonly (string | number)[],
): readonly ManifestProblem[] {
  return error.issues.flatMap((issue): readonly ManifestProblem[] => {
    const path = [...prefix, ...issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part))];
    const name = issue.path.join('.');
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => ({
        at: source.at([...path, key], 'key'),
        message: `'${key}' is not known here${suggest(key, prefix)}`,
      }));
    }
    const missing = valueAt(source.value, path) === undefined;
    return [
      {
        at: source.at(path),
        message: missing ? `'${name}' is missing` : `${name === '' ? '' : `${name}: `}${issue.message}`,
      },
    ];
  });
}

function valueAt(value: unknown, path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>(
    (inner, part) => (typeof inner === 'object' && inner !== null ? Reflect.get(inner, part) : undefined),
    value,
  );
}

function suggest(key: string, prefix: readonly unknown[]): string {
  const known =
    prefix.length === 0
      ? ['name', 'output', 'jobs']
      : [...common, 'input', 'format', 'source', 'prompt', 'model', 'execute'];
  const nearest = nearestName(key, known);
  return nearest === null ? '' : `; did you mean ${nearest}?`;
}
