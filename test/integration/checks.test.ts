import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeHouse, type House } from '../support/house.ts';

/** What each check has to refuse: a file, its text, and how the check names the fault. Planted one kind at a time, all of a kind at once. */
const faults = {
  types: [{ file: 'src/domain/bad.ts', text: "export const bad: number = 'one';\n", says: /TS2322/ }],
  format: [{ file: 'src/domain/bad.ts', text: 'export  const bad = "one"\n', says: /src\/domain\/bad\.ts/ }],
  unused: [
    { file: 'src/domain/double.ts', text: 'export const bad = 1;\n', says: /bad\s+src\/domain\/double\.ts/ },
    { file: 'src/domain/forgotten.ts', text: 'export const bad = 1;\n', says: /src\/domain\/forgotten\.ts/ },
  ],
  lint: [
    {
      file: 'src/domain/floating.ts',
      text: 'async function wait(): Promise<void> {}\nwait();\n',
      says: /no-floating-promises/,
    },
    { file: 'src/domain/any.ts', text: 'export type Bad = any;\n', says: /no-explicit-any/ },
    { file: 'src/domain/default.ts', text: 'export default 1;\n', says: /Export by name/ },
    { file: 'src/domain/sure.ts', text: 'export const bad = [1].at(0)!;\n', says: /no-non-null-assertion/ },
    { file: 'src/domain/clock.ts', text: 'export const bad = Date.now();\n', says: /Rules take the time/ },
    {
      file: 'src/store/env.ts',
      text: "export const bad = process.env['HOME'];\n",
      says: /Settings come from/,
    },
    { file: 'src/store/exit.ts', text: 'process.exit(1);\n', says: /only src\/main\.ts ends/ },
    { file: 'src/store/print.ts', text: "console.log('bad');\n", says: /no-console/ },
    { file: 'src/store/lines.ts', text: "import 'node:readline';\n", says: /U\+2028/ },
    {
      file: 'src/store/bad.test.ts',
      text: "import { vi } from 'vitest';\nvi.mock('a');\n",
      says: /Run the real/,
    },
  ],
  boundaries: [
    { file: 'src/domain/outwards.ts', text: "import '../store/store.ts';\n", says: /domain-imports-inwards/ },
    { file: 'src/queue/sideways.ts', text: "import '../store/store.ts';\n", says: /queue-imports-inwards/ },
    { file: 'src/contract/node.ts', text: "import 'node:fs';\n", says: /contract-imports-zod-alone/ },
    { file: 'src/domain/reads.ts', text: "import 'node:fs';\n", says: /domain-is-pure/ },
    { file: 'src/http/sql.ts', text: "import 'better-sqlite3';\n", says: /home-of-better-sqlite3/ },
    { file: 'src/http/tool.ts', text: "import 'prettier';\n", says: /library-without-a-home/ },
    { file: 'src/http/test.ts', text: "import '../../scripts/check.ts';\n", says: /source-imports-source/ },
    { file: 'src/attic/new.ts', text: "import '../domain/double.ts';\n", says: /room-without-a-level/ },
    { file: 'src/http/self.ts', text: "import './self.ts';\n", says: /no-cycle/ },
    // Text that the tool cannot place must not pass for text without faults.
    { file: 'src/http/nowhere.ts', text: "import './nothing.ts';\n", says: /no-unresolved/ },
  ],
} as const;

describe('npm run check', () => {
  let house: House;
  beforeAll(async () => {
    house = await makeHouse();
  });
  afterAll(async () => {
    await house[Symbol.asyncDispose]();
  });

  test('passes a house without a fault, by all five checks', async () => {
    const { code, output } = await house.check();
    for (const check of Object.keys(faults)) expect(output).toMatch(new RegExp(`^ok +${check} `, 'm'));
    expect(code).toBe(0);
  });

  test.each(Object.entries(faults))('%s: refuses a planted fault', async (check, planted) => {
    await using _planted = await house.plant(planted);
    const { code, output } = await house.check(check);
    for (const { says } of planted) expect(output).toMatch(says);
    expect(output).toMatch(new RegExp(`^FAIL ${check}`, 'm'));
    expect(code).toBe(1);
  });

  test('boundaries: fails when the tool does not see the files, as it does with a TypeScript that it cannot use', async () => {
    await using _planted = await house.plant([
      { file: '.dependency-cruiser.cjs', text: "module.exports.options.exclude = { path: 'src/domain' };\n" },
    ]);
    const { code, output } = await house.check('boundaries');
    expect(output).toContain('src/domain/double.ts');
    expect(code).toBe(1);
  });

  test('refuses the name of a check that there is not', async () => {
    expect(await house.check('speling')).toMatchObject({ code: 2 });
  });
});
