import { z } from 'zod';
import { Secret } from '../runtime/secret.ts';
import { formatDuration, parseDuration } from './duration.ts';

/** Folders that are known before any other default is. */
export interface Folders {
  readonly dataDir: string;
  readonly dbPath: string;
}

/** One setting: what it may be, what it is when nobody says, and what it means. Values never stand in a message: one might be a key in the wrong place. */
export interface Setting<Value> {
  readonly schema: z.ZodType<Value>;
  readonly fallback: (folders: Folders) => Value;
  readonly description: string;
  /** The default as documentation shows it. */
  readonly shownDefault: string;
  /** What it accepts, in words. */
  readonly accepts: string;
  readonly kind:
    'text' | 'choice' | 'switch' | 'number' | 'duration' | 'list' | 'path' | 'program' | 'secret';
  /** What the environment or a flag says, as a file would have said it. */
  readonly fromText: (text: string) => unknown;
  /** It decides what runs, who gets the key or what agents may do: a project's own file may say it only where the user trusts the project. */
  readonly trustedOnly?: true;
}

/** See `Setting.trustedOnly`. Programs always are. */
export function trustedOnly<S extends Setting<unknown>>(setting: S): S {
  return { ...setting, trustedOnly: true };
}

interface About<Value> {
  readonly fallback: Value;
  readonly description: string;
}

const same = (text: string): unknown => text;
const shownText = (value: string | null): string => value ?? 'not set';
const filled = (error: string): z.ZodType<string> => z.string({ error }).trim().min(1, { error });

export function text<F extends string | null>(about: About<F>): Setting<string | F> {
  const accepts = 'text';
  const schema = filled('must be text that is not empty');
  return {
    ...about,
    fallback: () => about.fallback,
    schema,
    accepts,
    kind: 'text',
    fromText: same,
    shownDefault: shownText(about.fallback),
  };
}

export function choice<const V extends string>(values: readonly V[], about: About<NoInfer<V>>): Setting<V> {
  const accepts = values.join(', ');
  const schema = z.enum(values as readonly [V, ...V[]], { error: `must be one of ${accepts}` });
  return {
    ...about,
    fallback: () => about.fallback,
    schema,
    accepts,
    kind: 'choice',
    fromText: same,
    shownDefault: about.fallback,
  };
}

export function toggle(about: About<boolean>): Setting<boolean> {
  const words: Readonly<Record<string, boolean>> = { true: true, '1': true, false: false, '0': false };
  return {
    ...about,
    fallback: () => about.fallback,
    schema: z.boolean({ error: 'must be true or false' }),
    accepts: 'true, false',
    kind: 'switch',
    fromText: (word) => words[word.toLowerCase()],
    shownDefault: String(about.fallback),
  };
}

interface Range {
  readonly min: number;
  readonly max: number;
}

export function integer(about: About<number> & Range): Setting<number> {
  const range = `${about.min} to ${about.max}`;
  const error = `must be a whole number from ${range}`;
  return {
    ...about,
    fallback: () => about.fallback,
    schema: z.int({ error }).min(about.min, { error }).max(about.max, { error }),
    accepts: `a whole number from ${range}`,
    kind: 'number',
    fromText: (word) => (/^\d+$/.test(word) ? Number(word) : word),
    shownDefault: String(about.fallback),
  };
}

/** Like `integer`, or not set: then something else decides, which `otherwise` names. */
export function optionalInteger(
  about: { readonly otherwise: string; readonly description: string } & Range,
): Setting<number | null> {
  const { otherwise, ...rest } = about;
  return { ...integer({ ...rest, fallback: about.min }), fallback: () => null, shownDefault: otherwise };
}

/** Like `choice`, or not set: then something else decides, which `otherwise` names. */
export function optionalChoice<const V extends string>(
  values: readonly [V, ...V[]],
  { otherwise, description }: { readonly otherwise: string; readonly description: string },
): Setting<V | null> {
  return {
    ...choice<V>(values, { fallback: values[0], description }),
    fallback: () => null,
    shownDefault: otherwise,
  };
}

/** In milliseconds, which its key says (`leaseMs`); its name in files does not, and a value may carry its unit. */
export function duration(about: About<number> & Range): Setting<number> {
  const range = `${formatDuration(about.min)} to ${formatDuration(about.max)}`;
  const error = `must be a duration such as 500ms, 30s, 10m or 1h, from ${range}`;
  return {
    ...about,
    fallback: () => about.fallback,
    schema: z.preprocess(parseDuration, z.int({ error }).min(about.min, { error }).max(about.max, { error })),
    accepts: `a duration from ${range}`,
    kind: 'duration',
    fromText: same,
    shownDefault: formatDuration(about.fallback),
  };
}

/** Like `duration`, or not set: then something else holds, which `otherwise` names. */
export function optionalDuration(
  about: { readonly otherwise: string; readonly description: string } & Range,
): Setting<number | null> {
  const { otherwise, ...rest } = about;
  return { ...duration({ ...rest, fallback: about.min }), fallback: () => null, shownDefault: otherwise };
}

export function list(about: About<readonly string[]>): Setting<readonly string[]> {
  const error = 'must be a list of texts that are not empty';
  return {
    ...about,
    fallback: () => about.fallback,
    schema: z.array(filled(error), { error }),
    accepts: 'a list; with commas in the environment',
    kind: 'list',
    fromText: (words) => words.split(',').map((word) => word.trim()),
    shownDefault: about.fallback.length === 0 ? 'empty' : about.fallback.join(', '),
  };
}

export interface ComputedPath {
  readonly fallback: (folders: Folders) => string;
  readonly shownDefault: string;
  readonly description: string;
}

/** Relative to the folder of the file that says it, or to the working folder; `~/` is the home folder. */
export function path(about: ComputedPath): Setting<string> {
  return { ...about, schema: filled('must be a path'), accepts: 'a path', kind: 'path', fromText: same };
}

/** A command on PATH, or a path where it has a separator in it. */
export function program(about: About<null>): Setting<string | null> {
  return trustedOnly({ ...text<null>(about), accepts: 'a command or a path', kind: 'program' });
}

export function httpUrl(about: About<string>): Setting<string> {
  const error = 'must be an http or https URL without user name, password, query and fragment';
  const schema = z
    .string({ error })
    .refine(isPlainHttpUrl, { error })
    .transform((url) => url.replace(/\/+$/, ''));
  return {
    ...about,
    fallback: () => about.fallback,
    schema,
    accepts: 'a URL',
    kind: 'text',
    fromText: same,
    shownDefault: about.fallback,
  };
}

export function secret(about: Omit<About<null>, 'fallback'>): Setting<Secret | null> {
  return {
    ...about,
    schema: filled('must be text that is not empty').transform((value) => new Secret(value)),
    fallback: () => null,
    accepts: 'text; never printed',
    kind: 'secret',
    fromText: same,
    shownDefault: 'not set',
  };
}

function isPlainHttpUrl(text: string): boolean {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) return false;
  return url.username === '' && url.password === '' && url.search === '' && url.hash === '';
}
