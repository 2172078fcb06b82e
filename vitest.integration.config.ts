import { fileURLToPath } from 'node:url';
import { defineConfig, mergeConfig } from 'vitest/config';
import shared from './vitest.shared.config.ts';

const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));

/** Tests that need real components: one file at a time, since each starts whole clusters. */
export default mergeConfig(
  shared,
  defineConfig({
    test: {
      dir: path('./test/integration'),
      // A JVM takes its time on a machine that does much else.
      testTimeout: 300_000,
      hookTimeout: 600_000,
      fileParallelism: false,
      // Names every test, and so says of those that are skipped why.
      reporters: process.env['CI'] ? ['verbose', 'json'] : ['verbose'],
    },
  }),
);
