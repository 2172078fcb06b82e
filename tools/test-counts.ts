/**
 * Prints the counts of all test reports that vitest wrote under `CI`, one a run (see vitest.config.ts). Fails
 * where there is none.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults: readonly {
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string }[];
  }[];
}

const folder = join(import.meta.dirname, '../node_modules/.cache/fctl/test-reports');
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
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
