import type { Reporter, SerializedError, TestCase, TestModule, Vitest } from 'vitest/node';
import { leftoversVariable } from './test-run.ts';

/**
 * Counts tests, names those that were skipped and why, and ends the output with `N passed, N failed, N skipped`, after all else has been
 * said. With CI set, a skipped test fails the run. A file or suite that breaks outside its tests counts as a failure, as does each thing
 * left behind.
 */
export class SummaryReporter implements Reporter {
  readonly #counts = { passed: 0, failed: 0, skipped: 0 };
  #ended = false;
  #filtered = false;

  onInit(vitest: Vitest): void {
    this.#filtered = vitest.config.testNamePattern !== undefined;
    process.once('exit', () => this.#finish());
  }

  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    this.#ended = true;
    this.#counts.failed += unhandled.length;
    const skipped: string[] = [];
    for (const module of modules) {
      this.#counts.failed += module.errors().length;
      for (const suite of module.children.allSuites()) this.#counts.failed += suite.errors().length;
      for (const test of module.children.allTests()) {
        const reason = this.#count(test);
        if (reason !== null) skipped.push(`  ${module.relativeModuleId} > ${test.fullName}: ${reason}`);
      }
    }
    if (skipped.length > 0 && !this.#filtered) console.log(`Skipped:\n${skipped.join('\n')}\n`);
  }

  /** The reason, for a test that was skipped. */
  #count(test: TestCase): string | null {
    const result = test.result();
    if (result.state === 'skipped') {
      // A test that was to run and gives no note never got there: what comes before it broke.
      if (test.options.mode === 'run' && result.note === undefined) {
        this.#counts.failed += 1;
        return null;
      }
      this.#counts.skipped += 1;
      return result.note ?? (test.options.mode === 'todo' ? 'to be written' : 'marked so in the file');
    }
    this.#counts[result.state === 'passed' ? 'passed' : 'failed'] += 1;
    return null;
  }

  #finish(): void {
    this.#counts.failed += Number(process.env[leftoversVariable] ?? 0) + (this.#ended ? 0 : 1);
    const { passed, failed, skipped } = this.#counts;
    const refused = skipped > 0 && Boolean(process.env['CI']);
    if (refused) console.log('CI is set: a skipped test fails the run.');
    console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
    if ((failed > 0 || refused) && !process.exitCode) process.exitCode = 1;
  }
}
