import js from '@eslint/js';
import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';

const testFiles = ['**/*.test.ts', 'test/**'];
const toolFiles = ['scripts/**', 'bench/**', 'demo/**'];

const bannedSyntax = [
  {
    selector: 'TSEnumDeclaration',
    message: 'Use a union of string literals: Node strips types, it does not compile.',
  },
  {
    selector: 'TSModuleDeclaration[kind="namespace"]',
    message: 'A file is the only kind of module: Node strips types, it does not compile.',
  },
  { selector: 'ExportDefaultDeclaration', message: 'Export by name: one thing, one name, everywhere.' },
  {
    selector: 'ExportSpecifier[exported.name="default"]',
    message: 'Export by name: one thing, one name, everywhere.',
  },
  {
    selector: 'CallExpression[callee.object.name="vi"][callee.property.name=/^(mock|doMock|stubGlobal)$/]',
    message: 'Run the real thing, or hand in a double through the interface.',
  },
];

const bannedModules = [
  {
    name: 'node:readline',
    message: 'It splits on U+2028 and U+2029 and corrupts JSON lines: use the line splitter in src/runtime.',
  },
  {
    name: 'node:readline/promises',
    message: 'It splits on U+2028 and U+2029 and corrupts JSON lines: use the line splitter in src/runtime.',
  },
  { name: 'readline', message: 'Use the line splitter in src/runtime.' },
  { name: 'node:process', message: 'Use the global `process`: the rules about env and exit watch that one.' },
  { name: 'process', message: 'Use the global `process`: the rules about env and exit watch that one.' },
];
const fastCheck = {
  name: 'fast-check',
  message: 'Use test/support/properties.ts: it draws the same cases in every run.',
};
const timers = {
  name: 'node:timers/promises',
  importNames: ['setTimeout', 'setInterval'],
  message: 'Use src/runtime/wait.ts: every wait takes a signal and a limit.',
};

const noExit = {
  object: 'process',
  property: 'exit',
  message: 'Set process.exitCode; only src/main.ts ends the process.',
};
const noEnv = {
  object: 'process',
  property: 'env',
  message: 'Settings come from src/config: src/main.ts hands it the environment.',
};
const noClock = [
  { object: 'Date', property: 'now', message: 'Rules take the time as an argument.' },
  { object: 'Math', property: 'random', message: 'Rules take the random number as an argument.' },
];

export default defineConfig(
  globalIgnores([
    '**/node_modules/**',
    'dist/**',
    'coverage/**',
    '.cache/**',
    '.capstan/**',
    '**/generated/**',
  ]),
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      // Async is also how a synchronous body hands its throws over as rejections.
      '@typescript-eslint/require-await': 'off',
      // Both have their place: an interface for what is implemented, a type for a union and what a schema gives.
      '@typescript-eslint/consistent-type-definitions': 'off',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      // `deferred<void>()` is what a signal without a value is.
      '@typescript-eslint/no-invalid-void-type': 'off',
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', ignoreRestSiblings: true },
      ],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true, requireDefaultForNonUnion: false },
      ],
      eqeqeq: ['error', 'always'],
      // Three, and an options object.
      'max-params': ['error', { max: 4 }],
      'no-console': 'error',
      // What comes from a terminal, a tar or an agent is searched for just these.
      'no-control-regex': 'off',
      'no-restricted-imports': ['error', { paths: [...bannedModules, fastCheck, timers] }],
      'no-restricted-properties': ['error', noExit, noEnv],
      'no-restricted-syntax': ['error', ...bannedSyntax],
    },
  },
  {
    files: ['src/**/*.ts'],
    ignores: testFiles,
    rules: { 'max-lines': ['error', { max: 300, skipBlankLines: true, skipComments: true }] },
  },
  { files: ['src/config/**'], rules: { 'no-restricted-properties': ['error', noExit] } },
  { files: ['src/main.ts'], rules: { 'no-restricted-properties': 'off' } },
  { files: ['src/cli/output.ts', 'src/cli/output/**'], rules: { 'no-console': 'off' } },
  {
    files: ['test/support/properties.ts'],
    rules: { 'no-restricted-imports': 'off', 'no-restricted-properties': 'off' },
  },
  {
    files: ['src/runtime/wait.ts'],
    rules: { 'no-restricted-imports': ['error', { paths: bannedModules }] },
  },
  {
    files: ['src/domain/**'],
    ignores: testFiles,
    rules: { 'no-restricted-properties': ['error', noExit, noEnv, ...noClock] },
  },
  {
    files: testFiles,
    rules: {
      // `expect.any()` and its kin are `any`.
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-empty-function': 'off',
      '@typescript-eslint/unbound-method': 'off',
      'no-restricted-properties': ['error', noExit],
    },
  },
  {
    files: [...toolFiles, 'test/children/**', 'test/support/reporter.ts', '*.config.ts'],
    rules: { 'no-console': 'off', 'no-restricted-properties': 'off' },
  },
  {
    files: ['**/*.{js,cjs,mjs}'],
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        URL: 'readonly',
        module: 'readonly',
        require: 'readonly',
      },
    },
  },
  // An old Node has to get as far as its refusal.
  { files: ['bin/capstan.js'], languageOptions: { ecmaVersion: 2020 }, rules: { 'no-var': 'off' } },
  { files: ['*.config.{ts,js}', 'dashboard/*.config.ts'], rules: { 'no-restricted-syntax': 'off' } },
);
