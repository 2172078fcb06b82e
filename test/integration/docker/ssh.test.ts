/**
 * An engine behind SSH: what Docker's own client runs over there is run here, by a program that stands for
 * `ssh`. The engine counts as elsewhere, so that REST is reached through the engine alone, too.
 */
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Project, imports } from '../../cli/project.ts';
import { DockerEngine, dockerRig } from '../../rigs/docker/engine.ts';
import { describeWith } from '../../rigs/rig.ts';

const ssh = `#!/bin/sh
echo "$@" >> "$(dirname "$0")/calls"
case "$*" in *-refused*) echo 'Host key verification failed.' >&2; exit 255 ;; esac
while [ "$1" != -- ]; do shift; done
shift 2
exec "$@"
`;

describeWith([dockerRig], 'a Docker engine behind SSH', () => {
  let engine: DockerEngine;
  let folder: string;
  let project: Project;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'fctl-ssh-'));
    await writeFile(join(folder, 'ssh'), ssh);
    await chmod(join(folder, 'ssh'), 0o755);
    process.env['PATH'] = `${folder}${delimiter}${process.env['PATH']}`;
    process.env['XDG_CACHE_HOME'] = join(folder, 'cache');
    engine = await DockerEngine.share();
    project = await Project.create();
    await project.write(
      'src/app.ts',
      `${imports}
      export const small = defineJob('small', (env) => {
        env.fromSource(CollectionSource.of([1, 2, 3])).map((x) => x * 2).sinkTo(CollectSink.named('out'));
      });
      export async function main(ctx) {
        console.log('collected ' + JSON.stringify((await ctx.execute(small)).collected('out')));
      }`,
    );
  });
  afterAll(async () => {
    await project?.remove();
    await engine?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const configure = (host: string) =>
    project.configure(
      'mode: session',
      'provider: docker',
      'jobmanager: { rest: { port: 0 }, resources: { memory: 384MiB } }',
      'taskmanager: { resources: { memory: 384MiB } }',
      'providers:',
      `  docker: { host: "${host}", pull: never, baseImage: "${engine.baseImage}" }`,
    );

  it('is reached as the user and port that its address names, and so is its REST API', async () => {
    await configure(`ssh://me@far:2222${engine.socketPath}`);
    expect((await project.run('session', 'start')).json.errors).toEqual([]);
    const submitted = await project.run('session', 'submit');
    expect(submitted.json.errors).toEqual([]);
    expect(submitted.stderr).toContain('collected [2,4,6]');
    expect((await project.run('session', 'stop')).exitCode).toBe(0);
    expect((await project.run('destroy', 'demo', '--yes')).exitCode).toBe(0);
    const [call] = (await readFile(join(folder, 'calls'), 'utf8')).split('\n');
    const dial = `-- far docker --host unix://${engine.socketPath} system dial-stdio`;
    expect(call).toMatch(/^-o BatchMode=yes .*-l me -p 2222 /);
    expect(call).toContain(dial);
  });

  it("gives ssh's own words where there is no way", async () => {
    await configure('ssh://host-refused');
    const refused = await project.run('session', 'start');
    expect(refused.exitCode).toBe(4);
    expect(refused.json.errors).toMatchObject([
      {
        code: 'engine-unreachable',
        message: expect.stringContaining('Host key verification failed.'),
      },
    ]);
  });
});
