import { defineConfig } from 'vitest/config';
import { SummaryReporter } from './test/support/reporter.ts';

const continuous = Boolean(process.env['CI']);

/** With more cases than usual (`FUZZ`, test/support/properties.ts) properties take longer. */
const patience = Math.max(1, Number(process.env['FUZZ'] ?? 0));

/** One kind of test after the other, so that those which start real processes do not compete with the rest for two processors. */
const project = (
  name: string,
  include: string,
  options: { order: number; workers: number; timeout: number },
) => ({
  extends: true as const,
  test: {
    name,
    include: [include],
    maxWorkers: options.workers,
    testTimeout: options.timeout * patience,
    hookTimeout: options.timeout,
    // A second, the usual, is little on a busy machine.
    expect: { poll: { timeout: options.timeout / 2 } },
    sequence: { groupOrder: options.order },
  },
});

export default defineConfig({
  test: {
    allowOnly: !continuous,
    globalSetup: ['./test/support/setup/leftovers.ts'],
    reporters: ['default', new SummaryReporter()],
    projects: [
      project('unit', 'src/**/*.test.ts', { order: 0, workers: 2, timeout: 30_000 }),
      project('integration', 'test/integration/**/*.test.ts', { order: 1, workers: 2, timeout: 60_000 }),
      project('e2e', 'test/e2e/**/*.test.ts', { order: 2, workers: 1, timeout: 120_000 }),
    ],
  },
});
