/** Verbs that explain: keys of the config, what differs between releases, versions. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Project, imports } from './project.ts';

let project: Project;
beforeEach(async () => {
  project = await Project.create();
});
afterEach(() => project.remove());

describe('explain', () => {
  it('says what a key means, and which are below it', async () => {
    const { stdout } = await project.start(['explain', 'taskmanager.slots']);
    expect(stdout).toMatch(/taskmanager\.slots\n.*Slots of one TaskManager/);
    expect(stdout).toContain('FCTL_TASKMANAGER__SLOTS');
    const below = await project.start(['explain', 'taskmanager.resources', '-o', 'name']);
    expect(below.stdout.split('\n')).toEqual([
      'taskmanager.resources.cpu',
      'taskmanager.resources.memory',
    ]);
    const all = await project.run('explain');
    expect(all.json.data.keys.length).toBeGreaterThan(40);
  });

  it('knows what was meant by a key that is none', async () => {
    const { exitCode, json } = await project.run('explain', 'taskmanager.slotz');
    expect(exitCode).toBe(7);
    expect(json.errors[0]!.hint).toBe("did you mean 'taskmanager.slots'?");
  });
});

describe('with two releases', () => {
  const app = (number: number) =>
    `${imports} export const job = defineJob('demo', (env) => { env.fromSource(CollectionSource.of([${number}])).sinkTo(DiscardSink.create()); });`;
  beforeEach(async () => {
    await project.write('src/app.ts', app(1));
    await project.run('deploy');
    await project.write('src/app.ts', app(2));
    await project.run('deploy', '--set', 'taskmanager.slots=2');
  });

  it('diff says what differs, in either direction', async () => {
    const { json } = await project.run('diff');
    expect(json.data).toMatchObject({ from: { number: 1 }, to: { number: 2 } });
    expect(json.data.differences).toEqual([
      expect.stringMatching(/^bundle: [\da-f]{12} → [\da-f]{12}$/),
      'taskmanager.slots: 1 → 2',
    ]);
    const back = await project.run('diff', '2', '1');
    expect(back.json.data.differences).toContain('taskmanager.slots: 2 → 1');
    expect((await project.start(['diff', '1', '1'])).stdout).toContain('Nothing differs.');
    expect((await project.run('diff', '9')).exitCode).toBe(7);
  });

  it('version tells of client and cluster', async () => {
    const { json } = await project.run('version');
    expect(json.data).toMatchObject({ client: { node: process.version }, cluster: null });
    const both = await project.run('version', 'demo');
    const { fctl } = json.data.client as { fctl: string };
    expect(both.json.data.cluster).toEqual({
      clusterId: 'demo',
      fctl,
      protocol: 1,
      engine: `bundled ${fctl}`,
    });
    expect((await project.run('version', 'nobody')).exitCode).toBe(7);
  });
});
