import path from 'node:path';

/** The environment variable by which every process of a test run is known: the setup sets it, workers and their children inherit it. */
export const runVariable = 'CAPSTAN_TEST_RUN';

/** How many things the run left behind, from the setup's end to the reporter. */
export const leftoversVariable = 'CAPSTAN_TEST_LEFTOVERS';

/** A container that a test starts carries this label with the run's id, so that one left behind is found. */
export const runLabel = 'capstan-test-run';

/** Where folders go that may not lie under the temporary folder. */
export const cacheRoot = path.join(import.meta.dirname, '../../.cache/test');

/** The id of this test run; `alone` where a file runs without the setup. */
export function testRunId(): string {
  return process.env[runVariable] ?? 'alone';
}

/** Every folder of a run starts with this. */
export function runFolderPrefix(): string {
  return `capstan-test-${testRunId()}-`;
}
