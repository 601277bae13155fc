import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import type { Figure, Row } from './figure.ts';
import { checkout } from './places.ts';
import { markdownTable } from './table.ts';

export interface Ran {
  readonly figure: Figure;
  readonly rows: readonly Row[];
}

const file = path.join(import.meta.dirname, '../results.md');
const intro = `# What was measured

Written by \`npm run bench\`. Every figure ran beside its rival in the same run; where only some were run again, the others are of the run that their section names.
`;

/** Puts what was run now into bench/results.md; the sections of other figures stay as they are. */
export function writeResults(
  ran: readonly Ran[],
  machine: Readonly<Record<string, string>>,
  order: readonly Figure[],
): void {
  const sections = existsSync(file) ? sectionsIn(readFileSync(file, 'utf8')) : new Map<string, string>();
  const facts = Object.entries(machine)
    .map(([name, value]) => `${name}: ${value}`)
    .join(' · ');
  for (const { figure, rows } of ran)
    sections.set(
      figure.name,
      `${figure.about.replaceAll('\n', ' ')}\n\n${markdownTable(rows)}\n\n${facts}\n`,
    );
  const text = order
    .filter(({ name }) => sections.has(name))
    .map(({ name }) => `## ${name}\n\n${sections.get(name) ?? ''}`)
    .join('\n');
  writeFileSync(file, `${intro}\n${text}`);
  const prettier = path.join(checkout, 'node_modules/prettier/bin/prettier.cjs');
  spawnSync(process.execPath, [prettier, '--write', '--log-level=warn', file], {
    stdio: 'inherit',
    cwd: checkout,
  });
}

function sectionsIn(text: string): Map<string, string> {
  const parts = text.split(/^## (.+)\n+/m).slice(1);
  const sections = new Map<string, string>();
  for (let index = 0; index + 1 < parts.length; index += 2)
    sections.set(parts[index] ?? '', `${(parts[index + 1] ?? '').trim()}\n`);
  return sections;
}
