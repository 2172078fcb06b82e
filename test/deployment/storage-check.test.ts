/** Local paths that processes would each see differently: found with their place in the config file. */
import { expect, it } from 'vitest';
import { type Problem } from '../../src/contract/errors.ts';
import { findUnsharedPaths, findUnusablePaths } from '../../src/deployment/storage-check.ts';
import { graph, operator, vertex } from '../runtime/jobmanager/graphs.ts';
import { load } from '../config/project.ts';

const yaml = `cluster: demo
application:
  entry: ./app.ts
  args:
    input: ./in.csv
    more: [/mnt/data/a, /etc/b, plain]
    password: /etc/secret
storage: { shared: [/mnt/data] }
`;

const brief = ({ column, line, message, path }: Problem) =>
  `${line}:${column} ${path} ${message.split(' is a local path')[0]}`;

const job = graph('job', [
  vertex('files', 1, {
    operators: [
      operator('in', { enumerator: { kind: 'files', options: { path: './in.csv' } } }),
      operator('out', { committer: { kind: 'files', options: { path: 'fixed/out' } } }),
      operator('fine', { committer: { kind: 'files', options: { path: '/mnt/data/out' } } }),
    ],
  }),
]);

it('names what the definitions of jobs read and write, at the argument that it came from', async () => {
  const { config, originOf } = await load(yaml);
  const found = findUnsharedPaths({ config, graphs: [job], hasMain: false, originOf });
  expect(found.map(brief)).toEqual([
    "5:12 /application/args/input the input './in.csv' of 'in'",
    "null:null null the output 'fixed/out' of 'out'",
  ]);
});

it('looks at the arguments of a main(), and tells no secrets', async () => {
  const { config, originOf } = await load(yaml);
  const found = findUnsharedPaths({ config, graphs: [], hasMain: true, originOf });
  expect(found.map(brief)).toEqual([
    "5:12 /application/args/input './in.csv'",
    expect.stringMatching(/^6:\d+ \/application\/args\/more\/1 '\/etc\/b'$/),
  ]);
});

it('names paths that no process can use, and says of none of them that it is not shared', async () => {
  const bad = yaml.replace('./in.csv', 's3://bucket/in');
  const { config, originOf } = await load(bad);
  const files = (path: string) => ({ kind: 'files', options: { path } });
  const strange = graph('strange', [
    vertex('files', 1, {
      operators: [
        operator('in', { enumerator: files('s3://bucket/in') }),
        operator('out', { committer: files('') }),
        operator('fine', { committer: files('/mnt/data/out') }),
      ],
    }),
  ]);
  const question = { config, graphs: [strange], hasMain: false, originOf };
  const found = findUnusablePaths(question);
  expect(found.map(({ code }) => code)).toEqual(['path-not-usable', 'path-not-usable']);
  expect(found.map(brief)).toEqual([
    "5:12 /application/args/input the input 's3://bucket/in' of 'in' has no file system: there is none for s3:; this version has file:",
    "null:null null the output '' of 'out' is empty",
  ]);
  expect(findUnsharedPaths(question)).toEqual([]);
});
