/** Prints the counts of the last test report that vitest wrote under `CI` (see vitest.config.ts). */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults: readonly {
    readonly status: string;
    readonly assertionResults: unknown[];
  }[];
}

const file = join(import.meta.dirname, '../node_modules/.cache/fctl/tests.json');
const report: Report = JSON.parse(readFileSync(file, 'utf8'));
// A file that could not even be loaded fails without a test of its own.
const broken = report.testResults.filter(
  ({ status, assertionResults }) => status === 'failed' && assertionResults.length === 0,
).length;
const skipped = report.numPendingTests + report.numTodoTests;
console.log(
  `${report.numPassedTests} passed, ${report.numFailedTests + broken} failed, ${skipped} skipped`,
);
