/**
 * Processes that are killed: the next command tells the truth and cleans up, nothing stays. Of the CLI there are two
 * kills, in a first deployment and in an upgrade; kills at every call of every operation are those of
 * test/deployment/operation/operation.test.ts, on the fake provider. What is killed else is a cluster's.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Answer, Project, eventually, imports } from '../../cli/project.ts';

const commandOf = (pid: number) => readFileSync(`/proc/${pid}/cmdline`, 'latin1');

vi.setConfig({ testTimeout: 60_000 });

let project: Project;
beforeEach(async () => {
  project = await Project.create();
  await project.configure('  parallelism: 2', 'taskmanager: { slots: 2, registrationTimeout: 1s }');
  await project.write('src/app.ts', slow);
});
afterEach(() => project.remove());

/** Bounded, so that a deploy follows it, and far from its end. */
const slow = `${imports}
export const job = defineJob('slow', (env) => {
  env.fromSource(GeneratorSource.of({ count: 1e6, create: (i) => i, ratePerSecond: 100 }))
    .rebalance().map((x) => x).sinkTo(DiscardSink.create());
});`;

const state = async () => (await project.run('status')).json.data.state as string;

/** Starts a deploy and resolves once its progress contains the text. `ended`: how it ends. */
async function deployUntil(text: string, ...args: string[]) {
  const deploy = project.start(['deploy', ...args]);
  let seen = '';
  await new Promise<void>((resolve, reject) => {
    deploy.stderr!.on('data', (chunk: Buffer) => {
      seen += String(chunk);
      if (seen.includes(text)) resolve();
    });
    deploy.stderr!.on('end', () => reject(new Error(`'${text}' was never shown:\n${seen}`)));
  });
  return { kill: (signal: NodeJS.Signals) => deploy.kill(signal), ended: () => deploy };
}

it('cleans up after a CLI that was killed between two processes', async () => {
  const deploy = await deployUntil('create taskmanager-0');
  deploy.kill('SIGKILL');
  await deploy.ended();
  expect((await project.run('destroy', '--yes')).exitCode).toBe(0);
  expect(project.running()).toEqual([]);
  expect((await project.run('list')).json.data).toEqual({ clusters: [] });
  expect((await project.run('doctor')).json.data.orphans).toEqual([]);
});

it('goes on with an upgrade whose CLI was killed', async () => {
  expect((await project.run('deploy', '--detach')).exitCode).toBe(0);
  const changed = ['--set', 'heartbeat.timeout=11s', '--set', 'taskmanager.replicas=2'];
  const deploy = await deployUntil('replace taskmanager-0', ...changed);
  deploy.kill('SIGKILL');
  await deploy.ended();
  const again = await project.run('deploy', '--detach', ...changed);
  expect(again.exitCode).toBe(0);
  expect(await state()).toBe('RUNNING');
  expect((await project.run('plan', ...changed)).json.data.changes).toBe(false);
  const releases = await project.run('releases');
  expect(releases.json.data.releases[0]).toMatchObject({ status: 'stable' });
});

it('lets one of two deploys wait for the other, and names it to one that does not wait', async () => {
  const first = await deployUntil('create jobmanager-0', '--detach');
  first.kill('SIGSTOP'); // so that it does not end meanwhile
  const { json, exitCode } = await project.run('deploy', '--detach', '--lock-wait', '1ms');
  expect(exitCode).toBe(8);
  expect(json.errors[0]!.message).toMatch(/is locked by .+\/\d+ since .+: deploy release/);
  first.kill('SIGCONT');
  const waiting = await project.run('deploy', '--detach', '--lock-wait', '60s');
  expect(waiting.exitCode).toBe(0);
  expect(waiting.json.data.plan.changes).toBe(false);
  expect((await first.ended()).exitCode).toBe(0);
});

it('does not take a release for done whose deploy was killed', async () => {
  await project.write('src/app.ts', slow.replace('1e6', '1'));
  const changed = ['--set', 'heartbeat.timeout=11s'];
  expect((await project.run('deploy')).exitCode).toBe(0);
  const deploy = await deployUntil('create jobmanager-0', ...changed);
  deploy.kill('SIGKILL');
  await deploy.ended();
  const { exitCode, json } = await project.run('deploy', '--if-changed', ...changed);
  expect(exitCode).toBe(0);
  expect(json.data.outcome.status).toBe('SUCCEEDED');
});

describe('a process that dies at once', () => {
  /**
   * Declares that processes of a role run `first.cjs` before their program. The file is no part of the release,
   * which so stays the same whether they die of it or not.
   */
  async function declare(role: 'jobmanager' | 'taskmanager') {
    const options = `--require=${join(project.folder, 'first.cjs')}`;
    await project.configure(
      '  parallelism: 2',
      'taskmanager:',
      '  slots: 2',
      '  registrationTimeout: 1s',
      ...(role === 'jobmanager' ? ['jobmanager:'] : []),
      `  environment: { NODE_OPTIONS: '${options}' }`,
    );
    return (script: string) => project.write('first.cjs', script);
  }

  it('fails the deploy when it is a TaskManager, and nothing is left running', async () => {
    const first = await declare('taskmanager');
    await first(
      "if (process.env.FCTL_PROCESS === 'taskmanager-0') { console.error('no luck'); process.exit(3); }",
    );
    const { exitCode, stderr } = await project.start(['deploy']);
    expect(exitCode).toBe(5);
    expect(stderr).toContain('taskmanager-0');
    expect(stderr).toContain('died while the cluster was starting');
    expect(stderr).toContain('no luck');
    expect(project.running()).toEqual([]);
    expect(await state()).toBe('FAILED');
    await first('');
    expect((await project.run('deploy', '--detach')).exitCode).toBe(0);
  });

  it('fails the deploy when it is a JobManager, whatever the end of an earlier run was', async () => {
    const first = await declare('jobmanager');
    await first('');
    await project.write('src/app.ts', slow.replace('1e6', '1'));
    const before = await project.run('deploy');
    expect(before.exitCode).toBe(0);
    await first("if (process.env.FCTL_PROCESS === 'jobmanager-0') process.exit(3);");
    const { exitCode, stdout, stderr } = await project.start(['deploy', '--json']);
    expect(exitCode).toBe(5);
    expect(stderr).toMatch(/jobmanager-0 \(pid \d+\) died while the cluster was starting/);
    const { data } = JSON.parse(stdout) as Answer['json'];
    expect(data.release).toBe(before.json.data.release); // else it would have no end to be mistaken for
    expect(project.running()).toEqual([]);
    expect(await state()).toBe('FAILED');
    await first('');
    expect((await project.run('deploy')).exitCode).toBe(0);
  });
});

it('fails an application whose main() was killed', async () => {
  await project.write(
    'src/app.ts',
    `${slow}
export async function main() {
  await new Promise((resolve) => setTimeout(resolve, 1e6));
}`,
  );
  const deploy = await deployUntil('The cluster is up');
  const mains = () => project.running().filter((pid) => commandOf(pid).includes('/application.js'));
  await eventually(() => mains().length === 1);
  process.kill(mains()[0]!, 'SIGKILL');
  const { exitCode, stderr } = await deploy.ended();
  expect(exitCode).toBe(6);
  expect(stderr).toContain('the process of main() was killed (SIGKILL)');
  await eventually(() => project.running().length === 0);
  expect(await state()).toBe('FAILED');
});

it('removes a cluster whose JobManager was killed at once, TaskManagers too', async () => {
  expect((await project.run('deploy', '--detach')).exitCode).toBe(0);
  process.kill(project.pid('jobmanager-0'), 'SIGKILL');
  expect((await project.run('destroy', '--yes')).exitCode).toBe(0);
  expect(project.running()).toEqual([]);
  expect((await project.run('status')).exitCode).toBe(7);
});

it('reports a JobManager as lost that was killed with its supervisor; the rest ends by itself', async () => {
  const deploy = await deployUntil('Its jobs run');
  process.kill(-project.supervisor('jobmanager-0'), 'SIGKILL');
  expect((await deploy.ended()).exitCode).toBe(5);
  const { json } = await project.run('status');
  expect(json.data.state).toBe('LOST');
  expect(json.data.explanation).toContain('fctl destroy');
  await eventually(() => project.running().length === 0);
  expect((await project.run('destroy', '--yes')).exitCode).toBe(0);
});

it('starts a JobManager again that got SIGTERM: that is no cancel, the job goes on', async () => {
  await project.configure('  parallelism: 2', 'taskmanager: { slots: 2 }');
  expect((await project.run('deploy', '--detach')).exitCode).toBe(0);
  const [before] = (await project.run('status')).json.data.jobs;
  process.kill(project.pid('jobmanager-0'), 'SIGTERM');
  await eventually(async () => {
    const { data } = (await project.run('status')).json;
    const master = data.processes.find((p: { name: string }) => p.name === 'jobmanager-0');
    const [job] = data.jobs;
    return (
      data.state === 'RUNNING' &&
      master.restarts === 1 &&
      master.exitCode === 143 &&
      job?.jid === before.jid &&
      job.tasks.running === job.tasks.total
    );
  });
  expect((await project.run('destroy', '--yes')).exitCode).toBe(0);
  expect(project.running()).toEqual([]);
});

it('shows with doctor what was left behind, and removes it when told to', async () => {
  await project.configure();
  expect((await project.run('deploy', '--detach')).exitCode).toBe(0);
  process.kill(-project.supervisor('jobmanager-0'), 'SIGKILL');
  await eventually(async () => (await state()) === 'LOST');
  const { exitCode, json } = await project.run('doctor');
  expect(exitCode).toBe(0);
  expect(json.data).toMatchObject({
    orphans: [{ clusterId: 'demo', kind: 'process', what: expect.stringMatching(/^pid \d+$/) }],
    removed: 0,
  });
  expect((await project.run('doctor', '--fix')).json.errors).toMatchObject([
    { code: 'not-confirmed' },
  ]);
  expect(project.running()).not.toEqual([]);
  const fixed = await project.run('doctor', '--fix', '--yes');
  expect(fixed.json.data).toMatchObject({ orphans: [], removed: 1 });
  expect(project.running()).toEqual([]);
});

it('fails an application whose TaskManager was killed, naming it', async () => {
  const deploy = await deployUntil('Its jobs run');
  process.kill(project.pid('taskmanager-0'), 'SIGKILL');
  const { exitCode, stderr } = await deploy.ended();
  expect(exitCode).toBe(6);
  expect(stderr).toContain('taskmanager-0 was lost');
  await eventually(() => project.running().length === 0);
  expect(await state()).toBe('FAILED');
});

describe('a JobManager that is killed before it has cancelled', () => {
  /** Begins to cancel an application whose TaskManager does not answer: its JobManager waits for it. */
  async function cancelStuck() {
    await project.configure('heartbeat: { timeout: 60s, interval: 1s }');
    expect((await project.run('deploy', '--detach')).exitCode).toBe(0);
    await eventually(
      async () => (await project.run('status')).json.data.jobs?.[0]?.state === 'RUNNING',
    );
    const taskManager = project.pid('taskmanager-0');
    process.kill(taskManager, 'SIGSTOP');
    const cancelling = project.start(['cancel', '--json']);
    await eventually(
      async () => (await project.run('status')).json.data.jobs?.[0]?.state === 'CANCELLING',
    );
    return { taskManager, cancelling };
  }

  it('is waited for when it is on its way up', async () => {
    expect((await project.run('deploy', '--detach')).exitCode).toBe(0);
    process.kill(project.pid('jobmanager-0'), 'SIGKILL');
    const { exitCode, json } = await project.run('cancel');
    expect(exitCode).toBe(0);
    expect(json.data.outcome.status).toBe('CANCELED');
  });

  it('is asked again when it was started again', async () => {
    const { taskManager, cancelling } = await cancelStuck();
    process.kill(project.pid('jobmanager-0'), 'SIGKILL');
    process.kill(taskManager, 'SIGCONT');
    const { exitCode, stdout } = await cancelling;
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ data: { outcome: { status: 'CANCELED' } } });
    await eventually(() => project.running().length === 0);
  });

  it('is not waited for when it is not started again', async () => {
    const { cancelling } = await cancelStuck();
    process.kill(-project.supervisor('jobmanager-0'), 'SIGKILL');
    const { exitCode, stdout } = await cancelling;
    expect(exitCode).toBe(5);
    expect(JSON.parse(stdout)).toMatchObject({ errors: [{ code: 'jobmanager-lost' }] });
    expect((await project.run('destroy', '--yes')).exitCode).toBe(0);
    expect(project.running()).toEqual([]);
  });
});

it('detaches on Ctrl-C; the application goes on until it is cancelled', async () => {
  const deploy = await deployUntil('Its jobs run');
  deploy.kill('SIGINT');
  expect((await deploy.ended()).exitCode).toBe(130);
  expect(await state()).toBe('RUNNING');
  const cancelled = await project.run('cancel');
  expect(cancelled.json.data.outcome.status).toBe('CANCELED');
  await eventually(() => project.running().length === 0);
  expect((await project.run('cancel')).exitCode).toBe(8);
});

it('says how to go on when a deploy is interrupted on its way up', async () => {
  const deploy = await deployUntil('create jobmanager-0');
  deploy.kill('SIGTERM');
  const { exitCode, stderr } = await deploy.ended();
  expect(exitCode).toBe(143);
  expect(stderr).toContain('interrupted before demo was healthy');
  expect((await project.run('destroy', '--yes')).exitCode).toBe(0);
  expect(project.running()).toEqual([]);
});

it('times out with exit code 124 and leaves the application running', async () => {
  expect((await project.run('deploy', '--timeout', '2s')).exitCode).toBe(124);
  expect((await project.run('deploy', '--detach')).exitCode).toBe(0); // goes on
  const unchanged = await project.run('deploy', '--detach');
  expect(unchanged.json.data.plan.changes).toBe(false);
  const replaced = await project.run('plan', '--set', 'application.parallelism=1');
  expect(replaced.json.data.actions[0]).toMatchObject({ kind: 'replace', process: 'jobmanager-0' });
  expect((await project.run('destroy')).exitCode).toBe(2);
});
