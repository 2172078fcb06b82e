/** What `--verbose` tells of what is done elsewhere. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Project, imports } from './project.ts';

let project: Project;
beforeEach(async () => {
  project = await Project.create();
});
afterEach(() => project.remove());

it('--verbose tells each request to the JobManager, with its answer and its time, and no secret', async () => {
  await project.write(
    'src/app.ts',
    `${imports} export const job = defineJob('demo', (env) => { env.fromSource(GeneratorSource.of({ create: (i) => i, ratePerSecond: 10 })).sinkTo(DiscardSink.create()); });`,
  );
  expect((await project.run('deploy', '--detach')).exitCode).toBe(0);
  const { stderr } = await project.start(['status', '--verbose']);
  expect(stderr).toMatch(/^GET http:\/\/127\.0\.0\.1:\d+\/fctl\/v1\/cluster → 200 in \d+ ms$/m);
  const { token } = await project.endpoint();
  expect(stderr).not.toContain(token);
  expect((await project.start(['status'])).stderr).toBe('');
});
