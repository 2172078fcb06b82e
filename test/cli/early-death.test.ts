/** A JobManager that dies before it writes a log: what is told leads to why. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Project, imports } from './project.ts';

let project: Project;
beforeEach(async () => {
  project = await Project.create();
  await project.write(
    'src/app.ts',
    `${imports}
export const job = defineJob('one', (env) => {
  env.fromSource(CollectionSource.of([1])).sinkTo(DiscardSink.create());
});`,
  );
});
afterEach(() => project.remove());

/** Node refuses to start with an option that it does not have. */
async function deployWith(option: string) {
  await project.configure(`jobmanager: { environment: { NODE_OPTIONS: ${option} } }`);
  return project.run('deploy', '--detach');
}

it('shows what it printed, of this deployment and not of an earlier one', async () => {
  const first = await deployWith('--no-first-option');
  expect(first.exitCode).toBe(5);
  expect(first.json.errors[0]).toMatchObject({
    code: 'process-died',
    hint: "see 'fctl logs demo jobmanager-0'",
  });
  const named = await project.run('logs', 'demo', 'jobmanager-0');
  expect(named.exitCode).toBe(0);
  expect(JSON.stringify(named.json.data.lines)).toContain('--no-first-option is not allowed');
  expect(named.stderr).toContain('jobmanager-0 has written no log: this is what it printed');
  // A TaskManager may have come further.
  const { lines } = (await project.run('logs')).json.data;
  expect(lines).toEqual(expect.arrayContaining(named.json.data.lines));

  const second = await deployWith('--no-second-option');
  const reason = second.json.errors.find(({ code }) => code === 'log')!.message;
  expect(reason).toContain('--no-second-option is not allowed');
  expect(reason).not.toContain('--no-first-option');
  const all = JSON.stringify((await project.run('logs', '--out')).json.data.lines);
  expect(all).toMatch(/no-first-option.*no-second-option/);
});
