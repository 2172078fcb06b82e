/** Contexts: where clusters are, for whoever is outside of a project, and all places at once. */
import { mkdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Answer, Project } from './project.ts';

let project: Project;
/** A folder that is no project. */
let outside: string;
beforeEach(async () => {
  project = await Project.create();
  await project.write('outside/package.json', '{}');
  outside = join(project.folder, 'outside');
  await makeCluster('home', 'here');
  await makeCluster('other', 'there');
});
afterEach(() => project.remove());

const makeCluster = (home: string, id: string) =>
  mkdir(join(project.folder, home, 'clusters', id, 'record'), { recursive: true });

async function run(line: string, cwd = outside, environment: Record<string, string> = {}) {
  const { exitCode, stdout } = await project.start(
    [...line.split(' '), '--json'],
    environment,
    cwd,
  );
  return { exitCode, json: JSON.parse(stdout) as Answer['json'] };
}

const ids = async (line: string, cwd = outside, environment: Record<string, string> = {}) =>
  (await run(line, cwd, environment)).json.data.clusters.map(
    ({ clusterId }: { clusterId: string }) => clusterId,
  ) as string[];

describe('a context', () => {
  beforeEach(async () => {
    const dir = join(project.folder, 'other');
    await run(`context add other -D providers.local.dir=${dir}`);
  });

  it('counts where it is named, and outside of projects where it is used', async () => {
    expect(await ids('list')).toEqual(['here']);
    expect(await ids('list --context other')).toEqual(['there']);
    expect(await ids('list', outside, { FCTL_CONTEXT: 'other' })).toEqual(['there']);
    expect((await run('context use other')).exitCode).toBe(0);
    expect(await ids('list')).toEqual(['there']);
    expect((await run('context list')).json.data).toMatchObject({ current: 'other' });
    const others = { FCTL_TASKMANAGER__SLOTS: '2', FCTL_OF_SOMEBODY_ELSE: '1', FCTL_PROVIDER: '' };
    expect(await ids('list', outside, others)).toEqual(['there']);

    // A project, a variable or an option says it better.
    expect(await ids('list', project.folder)).toEqual(['here']);
    expect(await ids('list', outside, { FCTL_PROVIDER: 'local' })).toEqual(['here']);
    const dir = { FCTL_PROVIDERS__LOCAL__DIR: join(project.folder, 'home') };
    expect(await ids('list', outside, dir)).toEqual(['here']);
    expect(await ids('list --provider local')).toEqual(['here']);
    expect(await ids('list --context other', project.folder)).toEqual(['there']);

    expect((await run('context use --none')).exitCode).toBe(0);
    expect(await ids('list')).toEqual(['here']);
    await run('context use other');
    expect((await run('context remove other')).exitCode).toBe(0);
    expect(await ids('list')).toEqual(['here']);
  });

  it('is in a file that only its user may read', async () => {
    const { mode } = await stat(join(project.folder, 'user/fctl/contexts.json'));
    expect(mode & 0o777).toBe(0o600);
  });

  it('keeps config file and environment, whatever folder it is used in', async () => {
    await project.configure(
      `environments: { far: { providers: { local: { dir: ${project.folder}/other } } } }`,
    );
    const added = await run('context add far -f fctl.config.yaml -e far', project.folder);
    expect(added.exitCode).toBe(0);
    expect(await ids('list --context far')).toEqual(['there']);
    const status = await run('status --context far');
    expect(status.json.errors[0]!.message).toContain("'demo'");
  });

  it.each([
    ['list --context nope', 7, 'no-such-context'],
    ['context use nope', 7, 'no-such-context'],
    ['context remove nope', 7, 'no-such-context'],
    ['context use', 2, 'usage'],
    ['context add empty', 2, 'not-a-context'],
    ['context add -x --provider local', 2, 'usage'],
    ['context add a/b --provider local', 2, 'not-a-context'],
    ['context add bad --provider dokcer', 3, 'invalid-value'],
  ])('is refused: %s', async (line, code, error) => {
    const { exitCode, json } = await run(line);
    expect(exitCode).toBe(code);
    if (error !== 'invalid-value') expect(json.errors[0]!.code).toBe(error);
  });

  it('that is damaged is told, and not taken for none', async () => {
    await writeFile(join(project.folder, 'user/fctl/contexts.json'), '{"half":');
    const { exitCode, json } = await run('list');
    expect([exitCode, json.errors[0]!.code]).toEqual([4, 'contexts-damaged']);
  });
});

describe('list --all', () => {
  it('lists the clusters of all environments and contexts, each place once', async () => {
    const dir = join(project.folder, 'other');
    await run(`context add other -D providers.local.dir=${dir}`);
    await run('context add same --provider local');
    await project.configure(
      `environments: { far: { providers: { local: { dir: ${dir} } } }, gone: { provider: docker, providers: { docker: { host: unix:///nonexistent/docker.sock } } } }`,
    );
    const { exitCode, json } = await run('list --all', project.folder);
    const found = json.data.clusters as { clusterId: string; places: string[] }[];
    expect(found.map(({ clusterId, places }) => [clusterId, places])).toEqual([
      ['here', ['here', 'context same']],
      ['there', ['env far', 'context other']],
    ]);
    expect(exitCode).toBe(4);
    expect(json.errors[0]!.message).toContain('env gone: ');
    expect((await run('list --all --env far', project.folder)).exitCode).toBe(2);
  });
});
