import type { Reporter, SerializedError, TestModule, TestSuite } from 'vitest/node';

/**
 * Ends the output of a run with the line `N passed, N failed`, or `N passed, N failed, N skipped`.
 *
 * A file that does not load, a hook that fails and an unhandled error each count as a failure, and
 * so does whatever else makes the exit code a failure: the line never says less than the exit code.
 * Under CI a skipped test is a failure too, and is named.
 */
export class CountsReporter implements Reporter {
  readonly #skippingFails: boolean;
  #passed = 0;
  #failed = 0;
  #skipped: string[] = [];

  constructor(options: { skippingFails?: boolean } = {}) {
    this.#skippingFails = options.skippingFails ?? isSet(process.env['CI']);
  }

  /** Only what is written while the process exits comes after everything that Vitest has to say. */
  onInit(): void {
    process.once('exit', (exitCode) => this.#conclude(exitCode));
  }

  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly SerializedError[]): void {
    this.#passed = 0;
    this.#failed = unhandledErrors.length;
    this.#skipped = [];
    for (const module of modules) this.#count(module);
  }

  #count(module: TestModule): void {
    const suites: (TestModule | TestSuite)[] = [module, ...module.children.allSuites()];
    this.#failed += suites.filter((suite) => suite.errors().length > 0).length;
    for (const test of module.children.allTests()) {
      const { state } = test.result();
      if (state === 'passed') this.#passed += 1;
      else if (state === 'failed') this.#failed += 1;
      else this.#skipped.push(`${module.relativeModuleId} > ${test.fullName}`);
    }
  }

  #conclude(exitCode: number): void {
    const lines: string[] = [];
    let failed = this.#failed;
    let skipped = this.#skipped.length;
    if (this.#skippingFails && skipped > 0) {
      lines.push(...this.#skipped.map((name) => `Skipped, which fails under CI: ${name}`));
      failed += skipped;
      skipped = 0;
    }
    if (exitCode !== 0 && failed === 0) {
      lines.push(`The run itself failed (exit code ${exitCode}).`);
      failed = 1;
    }
    if (exitCode === 0 && failed > 0) process.exitCode = 1;
    lines.push(
      `${this.#passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`,
    );
    // On a terminal Vitest leaves the cursor behind control sequences; a line of its own is clean.
    const start = process.stdout.isTTY ? '\n' : '';
    process.stdout.write(`${start}${lines.join('\n')}\n`);
  }
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && value !== '' && value !== 'false' && value !== '0';
}
