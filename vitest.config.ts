import { defineConfig } from 'vitest/config';

const project = (name: string, include: string, testTimeout: number) => ({
  extends: true as const,
  test: { name, include: [include], testTimeout, hookTimeout: testTimeout },
});

export default defineConfig({
  test: {
    projects: [
      project('unit', 'src/**/*.test.ts', 10_000),
      project('integration', 'test/integration/**/*.test.ts', 60_000),
      project('e2e', 'test/e2e/**/*.test.ts', 120_000),
    ],
  },
});
