import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../../../src/contract/clock.ts';
import { createBlobStore } from '../../../../src/runtime/jobmanager/dispatcher/blob-store.ts';
import { JarApplications } from '../../../../src/runtime/jobmanager/dispatcher/jar-applications.ts';
import { applicationScript } from '../processes.ts';
import { silentLogger } from '../silent-logger.ts';

it.each([
  ['its content is not here', false],
  ['it was run before', true],
])(
  'an upload that is deleted before it is run is not found, where %s',
  async (_when, isBlobThere) => {
    const directory = await mkdtemp(join(tmpdir(), 'fctl-jars-'));
    onTestFinished(() => rm(directory, { recursive: true }));
    const blobs = createBlobStore({ directory: join(directory, 'blobs'), placed: new Map() });
    const applications = new JarApplications({
      directory: join(directory, 'jars'),
      script: applicationScript,
      workingDirectory: directory,
      parallelism: 1,
      address: () => ({ restUrl: 'http://127.0.0.1:1', token: null, epoch: 1 }),
      blobs: isBlobThere ? { ...blobs, put: async () => 'exists' } : blobs,
      dispatcher: {
        submit: async () => ({ type: 'accepted', jobId: 'x' }),
        cancel: () => ({ type: 'accepted' }),
        view: () => null,
      },
      newId: () => 'a'.repeat(32),
      output: { write: () => {}, close: () => {} },
      logger: silentLogger,
      clock: systemClock,
    });
    const jar = {
      id: '544d4b98-0da4-47e3-a2e3-2bf9368b611d_flights.mjs',
      name: 'flights.mjs',
      uploaded: 1,
      entries: [],
      file: join(directory, 'jars', 'gone', 'bundle.mjs'),
      hash: 'b'.repeat(64),
    };
    const run = { entry: null, args: {}, parallelism: null, jobId: null };
    expect(await applications.run(jar, run)).toEqual({
      type: 'refused',
      reason: 'not-found',
      message: `${jar.id} was deleted before it could be run: upload it again`,
    });
  },
);
