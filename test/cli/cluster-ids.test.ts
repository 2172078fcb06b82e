/** What is no id of a cluster reaches no provider, in whichever way it was given. */
import { readdir } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, Project } from './project.ts';

let project: Project;
let before: readonly string[];

beforeAll(async () => {
  project = await Project.create();
  await project.run('session', 'start');
  before = await clusters();
});
afterAll(() => project.remove());

/** What must stay, without what processes write while they run. */
async function clusters(): Promise<readonly string[]> {
  const all = await readdir(project.home, { recursive: true });
  return all.filter((name) => !/\/(record|logs?|work)\/|\.json$/.test(name)).sort();
}

async function expectUntouched(): Promise<void> {
  expect(await clusters()).toEqual(before);
  const { json } = await project.run('list');
  expect(json.data.clusters).toMatchObject([{ clusterId: 'demo', state: 'RUNNING' }]);
}

describe('what is no id of a cluster', () => {
  it.each(['', ' ', '.', '..', '../..', 'a/b', './demo', 'demo/', 'demo/../demo', 'DEMO'])(
    'is not destroyed: %j',
    async (id) => {
      const { exitCode, json } = await project.run('destroy', id, '--yes', '--delete-state');
      expect(exitCode).toBe(2);
      expect(json.errors).toMatchObject([{ code: 'invalid-cluster-id' }]);
      await expectUntouched();
    },
  );

  it.each([
    'audit ..',
    'cancel ..',
    'destroy .. --yes',
    'exec .. jobmanager-0 --json -- true',
    'lock release .. --yes',
    'lock status ..',
    'logs ..',
    'proxy ..',
    'releases ..',
    'restart ..',
    'rollback --cluster ..',
    'scale .. --taskmanagers 2',
    'session scale .. --taskmanagers 2',
    'session start ..',
    'session status ..',
    'session stop ..',
    'session submit --cluster ..',
    'status ..',
  ])('is a wrong command line of every verb: %s', async (line) => {
    const asked = line.includes('--json') ? [] : ['--json'];
    const { exitCode, stdout } = await project.start([...line.split(' '), ...asked]);
    const json = JSON.parse(stdout) as Answer['json'];
    expect(exitCode).toBe(line.startsWith('exec') ? 125 : 2);
    expect(json.errors).toMatchObject([{ code: 'invalid-cluster-id' }]);
  });

  it.each([
    ['--set', ['destroy', '--yes', '--set', "cluster='..'"], {}, '--set cluster'],
    ['FCTL_CLUSTER', ['destroy', '--yes'], { FCTL_CLUSTER: '..' }, 'FCTL_CLUSTER'],
  ])('is an invalid config by %s', async (_what, words, environment, origin) => {
    const { exitCode, stderr } = await project.start(words, environment);
    expect(exitCode).toBe(3);
    expect(stderr).toContain(origin);
    expect(stderr).toContain('must be 2 to 40 of a-z, 0-9 and -');
    await expectUntouched();
  });
});
