import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const source = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  resolve: {
    alias: [
      { find: /^fctl$/, replacement: source('./src/api/index.ts') },
      { find: /^fctl\/config$/, replacement: source('./src/config/index.ts') },
      { find: /^fctl\/testing$/, replacement: source('./src/testing/index.ts') },
    ],
  },
  test: {
    testTimeout: 30_000,
    hookTimeout: 30_000,
    exclude: ['**/node_modules/**', '**/dist/**', 'test/lint/fixtures/**'],
  },
});
