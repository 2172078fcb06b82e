/**
 * Prints the counts of the test reports that vitest wrote under `CI` (see vitest.config.ts and
 * vitest.integration.config.ts).
 */
import { existsSync, readFileSync } from 'node:fs';
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

const folder = join(import.meta.dirname, '../node_modules/.cache/fctl');
const read = (name: string): Report => JSON.parse(readFileSync(join(folder, name), 'utf8'));

// Integration tests come last, and not at all when something before them failed.
const reports = [read('tests.json')];
if (existsSync(join(folder, 'integration-tests.json')))
  reports.push(read('integration-tests.json'));

let [passed, failed, skipped] = [0, 0, 0];
for (const report of reports) {
  passed += report.numPassedTests;
  skipped += report.numPendingTests + report.numTodoTests;
  // A file that could not even be loaded fails without a test of its own.
  const broken = report.testResults.filter(
    ({ status, assertionResults }) => status === 'failed' && assertionResults.length === 0,
  );
  failed += report.numFailedTests + broken.length;
}
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
