/** What does not answer or does not end: whoever asks hears of it soon, and what can be done. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Project, eventually, imports } from './project.ts';

let project: Project;
beforeEach(async () => {
  project = await Project.create();
  await project.write(
    'src/app.ts',
    `${imports}
export const spinning = defineJob('spinning', (env) => {
  env.fromSource(CollectionSource.of([1])).map(() => { for (;;); }).sinkTo(DiscardSink.create());
});
export async function main(ctx) {
  await (ctx.args.spins ? ctx.execute(spinning) : new Promise(() => setInterval(() => {}, 1000)));
}`,
  );
});
afterEach(() => project.remove());

it('tells that it waits for tasks that do not end', async () => {
  await project.configure('  args: { spins: true }');
  expect((await project.run('deploy', '--detach')).exitCode).toBe(0);
  const cancelling = project.start(['cancel']);
  let said = '';
  cancelling.stderr!.on('data', (chunk: Buffer) => (said += String(chunk)));
  await eventually(() => said.includes('Waiting for tasks that do not end'));
  cancelling.kill();
  await cancelling;
});

it('shows, cancels and destroys a cluster whose JobManager is suspended', async () => {
  const deployed = await project.start(['deploy', '--detach']);
  expect(deployed.exitCode).toBe(0);
  expect(deployed.stderr).toContain('Its main() runs. Its jobs run: none at the moment');
  const pid = project.pid('jobmanager-0');
  process.kill(pid, 'SIGSTOP');
  const why = `the JobManager (pid ${pid}, suspended) does nothing until it is continued`;
  const status = await project.run('status');
  expect(status.json.data).toMatchObject({ state: 'UNREACHABLE', explanation: why });
  expect((await project.run('list')).json.data.clusters).toMatchObject([{ state: 'UNREACHABLE' }]);
  const cancelled = await project.run('cancel');
  expect([cancelled.exitCode, cancelled.json.errors[0]!.hint]).toEqual([8, why]);
  process.kill(pid, 'SIGCONT');
  expect((await project.run('status')).json.data.state).toBe('RUNNING');
  process.kill(pid, 'SIGSTOP');
  expect((await project.run('destroy', '--yes')).exitCode).toBe(0);
  expect(project.running()).toEqual([]);
});
