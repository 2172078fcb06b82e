/** A JobManager whose processes do not see the same files takes no job with files of its own in it. */
import { afterEach, expect, it } from 'vitest';
import { type FakeCluster, startFakeCluster } from './fake-cluster.ts';
import { graph, operator, vertex } from './graphs.ts';

let cluster: FakeCluster;
afterEach(() => cluster.close());

const reads = (path: string) =>
  graph('job', [
    vertex('source', 1, {
      operators: [
        operator('source', {
          kind: 'source',
          enumerator: { kind: 'files', options: { path, format: 'lines' } },
        }),
      ],
    }),
  ]);

it('refuses it, naming the path and the operator', async () => {
  cluster = await startFakeCluster({ storage: { scope: 'separate', shared: ['/mnt/data'] } });
  await expect(cluster.submit(reads('./in.csv'))).rejects.toThrow(
    /the input '\.\/in\.csv' of 'source' would be another one in each process/,
  );
  await expect(cluster.submit(reads('/mnt/data/../etc'))).rejects.toThrow('storage.shared');
  expect((await cluster.submit(reads('/mnt/data/in.csv'))).state).not.toBe('FAILED');
});

it('takes it where all processes see the same', async () => {
  cluster = await startFakeCluster({ storage: { scope: 'common', shared: [] } });
  expect((await cluster.submit(reads('./in.csv'))).state).not.toBe('FAILED');
});

it.each(['common', 'separate'] as const)(
  'refuses a path that no process can use, where files are %s',
  async (scope) => {
    cluster = await startFakeCluster({ storage: { scope, shared: [] } });
    for (const [path, why] of [
      ['s3://bucket/in', 'has no file system: there is none for s3:'],
      ['', 'is empty'],
    ] as const) {
      const message = `the input '${path}' of 'source' ${why}`;
      await expect(cluster.submit(reads(path))).rejects.toThrow(message);
    }
  },
);
