import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { CollectSink, CollectionSource, defineJob } from '../../src/api/index.ts';
import { testJob } from '../../src/testing/index.ts';

const reading = (name: string) =>
  defineJob('reading', (env) => {
    env.registerCachedFile('words.txt', 'words');
    env
      .fromSource(CollectionSource.of([1]))
      .map((_, { distributedCache }) => readFileSync(distributedCache.getFile(name), 'utf8'))
      .sinkTo(CollectSink.named('read'));
  });

it('functions of a job in a test read cached files where they are', async () => {
  const workingDirectory = await mkdtemp(join(tmpdir(), 'fctl-cached-'));
  onTestFinished(() => rm(workingDirectory, { recursive: true }));
  await writeFile(join(workingDirectory, 'words.txt'), 'hello');
  const result = await testJob(reading('words'), undefined, { workingDirectory });
  expect(result.collected()).toEqual(['hello']);
});

it('a file that was not registered is told, with those that were', async () => {
  await expect(testJob(reading('wrods'))).rejects.toThrow(
    "the job has no cached file 'wrods', only words: register it in the job's builder",
  );
});
