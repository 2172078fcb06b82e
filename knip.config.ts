/** Unused files, exports and dependencies. */
import type { KnipConfig } from 'knip';
import { entryPoints } from './tools/entry-points.ts';

export default {
  entry: [...Object.values(entryPoints), 'tools/*.ts', 'tools/lint/plugin.ts', 'bench/*.ts'],
  project: ['{src,tools,bench,examples}/**/*.ts', 'bin/*.js'],
  // A type that a public function of the same file takes or returns is exported with it.
  ignoreExportsUsedInFile: { interface: true, type: true },
} satisfies KnipConfig;
