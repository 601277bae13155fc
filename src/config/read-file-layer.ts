import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { parse, TomlError } from 'smol-toml';
import { hasErrno } from '../runtime/app-error.ts';
import { emptyLayer, unknownName, type Layer, type LayerName, type Problem, type Said } from './layer.ts';
import { lineOf, locateKeys } from './locate-keys.ts';
import { namedSettings } from './named-settings.ts';

const byName = new Map(namedSettings.map((named) => [named.name, named]));
const sections = new Set(namedSettings.flatMap(({ name }) => name.split('.').slice(0, -1)));

/** What one TOML file says; a file that is not there says nothing. */
export function readFileLayer(file: string, layer: LayerName): Layer {
  let toml: string;
  try {
    toml = readFileSync(file, 'utf8');
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return emptyLayer;
    const why = hasErrno(error, 'EISDIR')
      ? 'it is a folder'
      : hasErrno(error, 'EACCES')
        ? 'no permission'
        : String(error);
    return broken(file, `the file cannot be read: ${why}`);
  }
  try {
    return readTable(parse(toml), { file, layer, lines: locateKeys(toml) });
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    // Only the first line: those below it quote the file, which may hold a key.
    const [reason = ''] = error.message.split('\n');
    return broken(`${file}:${error.line}:${error.column}`, reason);
  }
}

function broken(origin: string, message: string): Layer {
  return { said: [], problems: [{ name: 'config.toml', origin, message }] };
}

interface FileContext {
  readonly file: string;
  readonly layer: LayerName;
  readonly lines: ReadonlyMap<string, number>;
}

function readTable(table: object, { file, layer, lines }: FileContext): Layer {
  const said: Said[] = [];
  const problems: Problem[] = [];
  for (const [name, value] of leaves(table, '')) {
    const line = lineOf(lines, name);
    const where = line === undefined ? file : `${file}:${line}`;
    const named = byName.get(name);
    if (named !== undefined) said.push({ named, value, origin: { layer, where }, baseDir: dirname(file) });
    else if (!sections.has(name)) problems.push(unknownName(name, where, [...byName.keys()]));
    else if (!isTable(value))
      problems.push({ name, origin: where, message: `is a section: write [${name}]` });
  }
  return { said, problems };
}

function* leaves(table: object, prefix: string): Generator<readonly [string, unknown]> {
  for (const [key, value] of Object.entries(table) as [string, unknown][]) {
    const name = `${prefix}${key}`;
    const holdsMore = isTable(value) && !byName.has(name) && Object.keys(value).length > 0;
    if (holdsMore) yield* leaves(value, `${name}.`);
    else yield [name, value];
  }
}

function isTable(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}
