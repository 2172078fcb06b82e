/**
 * Tests that need nothing but Node.js: units, and components that are processes of this machine.
 *
 * Files of one worker share the modules that they import where `together` says so: to load them for each file
 * would take as long as all of these tests. They change nothing that is global, or put it back.
 */
import { defineConfig, mergeConfig } from 'vitest/config';
import shared from './vitest.shared.config.ts';

const folders = [
  'api',
  'config',
  'contract',
  'deployment',
  'flink-rest',
  'graph',
  'record',
  'reference',
  'runtime/{ha,logging,metrics,rest,rpc,stream}',
  'storage',
  'testing',
];
const together = folders.map((folder) => `test/${folder}/**/*.test.ts`);
const elsewhere = ['test/integration/**'];

export default mergeConfig(
  shared,
  defineConfig({
    test: {
      projects: [
        { extends: true, test: { name: 'together', include: together, isolate: false } },
        { extends: true, test: { name: 'apart', exclude: [...together, ...elsewhere] } },
      ],
    },
  }),
);
