/** The file of a role with the environment of a process, and files that older versions wrote for one. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readJobManagerConfig, readTaskManagerConfig } from '../../src/runtime/process-config.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fctl-process-config-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function environment(file: object, change: Record<string, string | undefined> = {}) {
  await writeFile(join(folder, 'config.json'), JSON.stringify(file));
  return {
    FCTL_CONFIG: join(folder, 'config.json'),
    FCTL_PROCESS: 'taskmanager-3',
    FCTL_RELEASE: 'r1',
    FCTL_RECORD: 'http://here:1',
    FCTL_WORK_DIR: '/work',
    FCTL_BIND: '0.0.0.0',
    FCTL_ADDRESS: '10.0.0.1',
    FCTL_PORT_REST: '4711',
    ...change,
  };
}

it('takes from the environment what differs between processes of a role', async () => {
  const found = await readTaskManagerConfig(await environment({ slots: 2 }));
  expect(found).toEqual({
    slots: 2,
    resourceId: 'taskmanager-3',
    release: 'r1',
    record: 'http://here:1',
    workDir: '/work',
    bind: '0.0.0.0',
    advertise: '10.0.0.1',
    workingDirectory: process.cwd(),
  });
});

it('advertises nothing where its place does not know the address', async () => {
  const unknown = await environment({}, { FCTL_ADDRESS: undefined });
  expect(await readTaskManagerConfig(unknown)).toMatchObject({ advertise: null });
});

it('listens where its place says, unless the user did', async () => {
  const file = { rest: { bind: null, hosts: [] }, application: { args: {} } };
  expect(await readJobManagerConfig(await environment(file))).toMatchObject({
    rest: { bind: '0.0.0.0', port: 4711, hosts: [] },
    application: { args: {}, workingDirectory: process.cwd() },
  });
  const chosen = { ...file, rest: { ...file.rest, bind: '127.0.0.1' } };
  expect((await readJobManagerConfig(await environment(chosen))).rest.bind).toBe('127.0.0.1');
});

it('goes on from a file that an older version wrote for it alone', async () => {
  const own = {
    resourceId: 'jobmanager-0',
    release: 'r0',
    record: 'file:///record',
    workDir: '/own',
    rest: { bind: '127.0.0.1', port: '8081' },
    application: { workingDirectory: '/project' },
  };
  const older = await environment(own, { FCTL_RELEASE: undefined, FCTL_RECORD: undefined });
  expect(await readJobManagerConfig(older)).toEqual({
    ...own,
    rest: { bind: '127.0.0.1', port: 8081 },
  });
});

it('names the variable that is missing', async () => {
  const incomplete = await environment({}, { FCTL_RECORD: undefined });
  await expect(readTaskManagerConfig(incomplete)).rejects.toThrow('FCTL_RECORD');
});
