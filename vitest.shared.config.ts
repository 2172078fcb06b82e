/** What all tests of this repository have in common: those of vitest.config.ts and vitest.integration.config.ts. */
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));

export default defineConfig({
  resolve: {
    alias: [
      { find: /^fctl$/, replacement: path('./src/api/index.ts') },
      { find: /^fctl\/config$/, replacement: path('./src/config/index.ts') },
      { find: /^fctl\/testing$/, replacement: path('./src/testing/index.ts') },
      {
        find: /^fctl\/provider-testing$/,
        replacement: path('./src/providers/testing/index.ts'),
      },
    ],
  },
  test: {
    // Where something is waited for, a loaded machine gets the time that it needs.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 60_000 } },
    // Component tests start processes of their own: more workers only make them wait for each other.
    maxWorkers: 2,
    exclude: ['**/node_modules/**', '**/dist/**', 'test/lint/fixtures/**', 'templates/**'],
    reporters: process.env['CI'] ? ['default', 'json'] : ['default'],
    // Read by tools/ci/counts.ts; each run has a report of its own, and its repetition the same one.
    outputFile: {
      json: path(
        `./node_modules/.cache/fctl/test-reports/${process.env['FCTL_REPORT'] ?? process.pid}.json`,
      ),
    },
  },
});
