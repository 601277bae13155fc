/** Which room may import which, and which library lives where. Levels from the inside out; a room imports only from levels before its own. */
const levels = [
  ['contract'],
  ['runtime'],
  ['domain'],
  ['store', 'queue', 'supervisor', 'artifacts', 'telemetry', 'config'],
  ['codex', 'launcher'],
  ['runners'],
  ['worker'],
  ['service'],
  ['gateway'],
  ['http'],
  ['cli'],
];

/** Library → the rooms that may import it. A library that is not here has no home yet. */
const homes = {
  // Schemas stand where something is parsed: at the edges.
  zod: [
    'contract',
    'config',
    'store',
    'queue',
    'codex',
    'launcher',
    'runners',
    'worker',
    'service',
    'gateway',
    'http',
    'cli',
  ],
  uuid: ['runtime'],
  'better-sqlite3': ['store'],
  kysely: ['store'],
  pino: ['telemetry'],
  '@prometheus-io/client': ['telemetry'],
  dockerode: ['launcher'],
  tar: ['artifacts'],
  diff: ['artifacts'],
  'smol-toml': ['config'],
  yaml: ['service'],
  fastify: ['http'],
  '@fastify/[^/]+': ['http'],
  'fastify-type-provider-zod': ['http'],
  commander: ['cli'],
  listr2: ['cli'],
  picocolors: ['cli'],
};

const rooms = levels.flat();
const tests = '\\.test\\.ts$';
const library = (name) => `node_modules/(?:@types/)?${name}/`;
const notInside = { pathNot: tests };

const layering = levels.flatMap((level, index) =>
  level.map((room) => ({
    name: `${room}-imports-inwards`,
    comment: `${room} may import from: ${[...levels.slice(0, index).flat(), 'itself'].join(', ')}.`,
    severity: 'error',
    from: { path: `^src/${room}/`, ...notInside },
    to: {
      path: '^src/',
      pathNot: `^src/(?:${[...levels.slice(0, index).flat(), room].join('|')})/`,
    },
  })),
);

const libraries = Object.entries(homes).map(([name, where]) => ({
  name: `home-of-${name.replace('/[^/]+', '')}`,
  comment: `${name} lives in: ${where.join(', ')}.`,
  severity: 'error',
  from: { path: '^src/', pathNot: [`^src/(?:${where.join('|')})/`, tests] },
  to: { path: library(name) },
}));

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    ...layering,
    ...libraries,
    {
      name: 'contract-imports-zod-alone',
      comment: 'The dashboard imports contract too: no Node modules, no other library.',
      severity: 'error',
      from: { path: '^src/contract/', ...notInside },
      to: { pathNot: ['^src/contract/', library('zod')] },
    },
    {
      name: 'domain-is-pure',
      comment: 'Rules do no input or output: no Node modules, no library.',
      severity: 'error',
      from: { path: '^src/domain/', ...notInside },
      to: { pathNot: '^src/' },
    },
    {
      name: 'library-without-a-home',
      comment: 'Give it a row in the table `homes` of .dependency-cruiser.cjs.',
      severity: 'error',
      from: { path: '^src/', ...notInside },
      to: { path: 'node_modules/', pathNot: Object.keys(homes).map(library) },
    },
    {
      name: 'room-without-a-level',
      comment: 'Give the folder a place in the table `levels` of .dependency-cruiser.cjs.',
      severity: 'error',
      from: { path: `^src/(?!(?:${rooms.join('|')})/|(?:main|index)\\.ts$)`, ...notInside },
      to: {},
    },
    {
      name: 'source-imports-source',
      comment: 'What ships may not need what does not: tests, scripts, benches, the demo.',
      severity: 'error',
      from: { path: '^src/', ...notInside },
      to: { path: ['^(?:test|scripts|bench|demo|dashboard)/', tests] },
    },
    {
      name: 'no-development-dependency',
      comment: 'A user does not have it: move it to `dependencies`.',
      severity: 'error',
      from: { path: '^src/', ...notInside },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['npm', 'type-only'] },
    },
    {
      name: 'no-cycle',
      comment: 'Each of these files needs the other to be understood: one of them holds two things.',
      severity: 'error',
      // What another tool wrote is not ours to untangle.
      from: { pathNot: '/generated/' },
      to: { circular: true },
    },
    {
      name: 'no-unresolved',
      comment: 'This import leads nowhere.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(?:dist|coverage|\\.cache)/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
  },
};
