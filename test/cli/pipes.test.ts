/** Readers that go away before the command has ended. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Project, eventually, imports } from './project.ts';

let project: Project;
beforeEach(async () => {
  project = await Project.create();
});
afterEach(async () => {
  await eventually(() => project.running().length === 0);
  await project.remove();
});

it('ends quietly when nobody reads the results', async () => {
  const help = project.start(['--help']);
  help.stdout!.destroy();
  expect(await help).toMatchObject({ exitCode: 0, stderr: '' });
  const failed = project.start(['status', 'nobody', '--json']);
  failed.stdout!.destroy();
  expect((await failed).exitCode).toBe(7);
});

it('deploys although nobody reads the progress', async () => {
  await project.write(
    'src/app.ts',
    `${imports}
export const job = defineJob('one', (env) => {
  env.fromSource(CollectionSource.of([1])).sinkTo(DiscardSink.create());
});`,
  );
  const deploy = project.start(['deploy']);
  deploy.stderr!.destroy();
  const { exitCode, stdout } = await deploy;
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/^SUCCEEDED after /);
});
