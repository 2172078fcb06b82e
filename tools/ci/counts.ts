/**
 * Prints the slowest tests and the counts of all test reports that vitest wrote under `CI`, one a run (see
 * vitest.config.ts). Fails where there is none.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';

interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly assertionResults: readonly {
      readonly status: string;
      readonly fullName: string;
      /** Milliseconds. */
      readonly duration?: number | null;
    }[];
  }[];
}

const shown = 20;
const root = join(import.meta.dirname, '../..');
const folder = join(root, 'node_modules/.cache/fctl/test-reports');
const reports = readdirSync(folder).map(
  (name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as Report,
);
if (reports.length === 0) throw new Error(`there is no report in ${folder}`);

let [passed, failed, skipped] = [0, 0, 0];
for (const report of reports) {
  passed += report.numPassedTests;
  skipped += report.numPendingTests + report.numTodoTests;
  // A file that could not be loaded or set up fails without a test that does.
  const broken = report.testResults.filter(
    ({ status, assertionResults }) =>
      status === 'failed' && !assertionResults.some((result) => result.status === 'failed'),
  );
  failed += report.numFailedTests + broken.length;
}
const tests = reports.flatMap(({ testResults }) =>
  testResults.flatMap(({ assertionResults, name }) =>
    assertionResults.map(({ duration, fullName }) => ({
      seconds: (duration ?? 0) / 1000,
      name: `${relative(root, name)}: ${fullName}`,
    })),
  ),
);
console.log(`the ${shown} slowest tests, in seconds:`);
for (const { name, seconds } of tests.toSorted((a, b) => b.seconds - a.seconds).slice(0, shown)) {
  console.log(`  ${seconds.toFixed(1).padStart(6)} ${name}`);
}
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
