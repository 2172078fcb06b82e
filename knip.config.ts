/** Unused files, exports and dependencies. */
import type { KnipConfig } from 'knip';
import { entryPoints, singleFiles } from './tools/entry-points.ts';

export default {
  workspaces: {
    '.': {
      entry: [
        ...Object.values(entryPoints),
        ...Object.values(singleFiles),
        'tools/*.ts',
        'tools/ci/{run,counts}.ts',
        'bench/*.ts',
        // An application is started by the name of its file, as its config gives it.
        'examples/*/app.ts',
        // Imported by tools/docs.ts by name.
        'src/*/reference.ts',
      ],
      project: [
        '{src,test,tools,bench,examples}/**/*.ts',
        '{bin,tools}/*.js',
        '!test/lint/fixtures/**',
      ],
    },
  },
  // A type that a public function of the same file takes or returns is exported with it.
  ignoreExportsUsedInFile: { interface: true, type: true },
  // Data: the flights of examples/flights.
  ignoreDependencies: ['vega-datasets'],
  // Of the operating system, and of Java.
  ignoreBinaries: [
    'flock',
    'jar',
    'mkfifo',
    'mount',
    'nsenter',
    'script',
    'setpriv',
    'ssh-keygen',
    'umount',
    'unshare',
  ],
} satisfies KnipConfig;
