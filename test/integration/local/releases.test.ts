/** Releases on real processes: each deploy does exactly what its plan said; failed ones are rolled back. */
import { chmod, cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Answer, Project, eventually, imports } from '../../cli/project.ts';

// Many deployments, one after the other.
vi.setConfig({ testTimeout: 180_000 });

let project: Project;
beforeEach(async () => {
  project = await Project.create();
});
afterEach(() => project.remove());

/** Unbounded and without state. */
const app = (map: string) => `${imports}
export const job = defineJob('endless', (env) => {
  env.fromSource(GeneratorSource.of({ create: (i) => i, ratePerSecond: 50 }))
    .rebalance().map(${map}).sinkTo(DiscardSink.create());
});`;

const stateful = `${imports}
export const job = defineJob('sums', (env) => {
  const type = types.record({ key: types.int32, sum: types.double });
  env.fromSource(GeneratorSource.of({ create: (i) => ({ key: i % 3, sum: i }), ratePerSecond: 50, type }))
    .keyBy('key').reduce((a, b) => ({ key: a.key, sum: a.sum + b.sum })).sinkTo(DiscardSink.create());
});`;

interface Action {
  readonly kind: string;
  readonly process: string;
  readonly causes: readonly string[];
}

const actionsOf = (plan: { actions: readonly Action[] }) =>
  plan.actions.filter((a) => a.kind !== 'none').map((a) => `${a.kind} ${a.process}`);

const causesOf = (plan: { actions: readonly Action[] }) => [
  ...new Set(plan.actions.flatMap((a) => a.causes)),
];

const statuses = async () => {
  const { json } = await project.run('releases');
  return (json.data.releases as { status: string }[]).map((r) => r.status).toReversed();
};

/** Pids of what the config says there is. */
const pids = (...names: string[]) => names.map((name) => project.pid(name));

/** A deploy that does what the plan before it said, and after which there is nothing left to do. */
async function deployAsPlanned(...args: string[]): Promise<Answer> {
  const plan = await project.run('plan', ...args);
  const deployed = await project.run('deploy', '--detach', ...args);
  expect(deployed.exitCode).toBe(0);
  expect(deployed.json.data.plan).toEqual(plan.json.data);
  const after = await project.run('plan', ...args);
  expect(after.json.data).toMatchObject({ changes: false, config: [] });
  expect(actionsOf(after.json.data)).toEqual([]);
  return deployed;
}

async function restRuns(parallelism: number): Promise<void> {
  const { json } = await project.run('status');
  expect(json.data.state).toBe('RUNNING');
  expect(json.data.jobs).toMatchObject([{ name: 'endless', state: 'RUNNING' }]);
  expect(json.data.jobs[0].tasks.running).toBe(parallelism * 2);
}

it('upgrades a stateless application five times, each as planned, the last one rolled back', async () => {
  await project.write('src/app.ts', app('(x) => x'));
  await project.configure('taskmanager: { slots: 2 }');
  const first = await deployAsPlanned();
  expect(actionsOf(first.json.data.plan)).toEqual(['create jobmanager-0', 'create taskmanager-0']);
  const [, worker] = pids('jobmanager-0', 'taskmanager-0');

  await project.write('src/app.ts', app('(x) => x + 1'));
  const code = await deployAsPlanned();
  expect(actionsOf(code.json.data.plan)).toEqual(['replace jobmanager-0']);
  expect(causesOf(code.json.data.plan)[0]).toMatch(/^application bundle: /);
  expect(project.pid('taskmanager-0')).toBe(worker);
  await restRuns(1);

  const wide = ['--set', 'application.parallelism=2'];
  const parallel = await deployAsPlanned(...wide);
  expect(actionsOf(parallel.json.data.plan)).toEqual(['replace jobmanager-0']);
  expect(causesOf(parallel.json.data.plan)).toEqual(['application.parallelism: 1 → 2']);
  await restRuns(2);

  const before = pids('jobmanager-0', 'taskmanager-0');
  const more = [...wide, '--set', 'taskmanager.replicas=2'];
  const scaled = await deployAsPlanned(...more);
  expect(actionsOf(scaled.json.data.plan)).toEqual(['scale taskmanager-1']);
  expect(causesOf(scaled.json.data.plan)).toEqual(['taskmanager.replicas: 1 → 2']);
  expect(pids('jobmanager-0', 'taskmanager-0')).toEqual(before);

  const kept = [...more, '--set', 'retention=2h'];
  const recorded = await deployAsPlanned(...kept);
  expect(recorded.json.data.plan).toMatchObject({ changes: true, config: ['retention: 24h → 2h'] });
  expect(actionsOf(recorded.json.data.plan)).toEqual([]);
  expect(pids('jobmanager-0', 'taskmanager-0')).toEqual(before);

  await project.write('src/app.ts', app("() => { throw new Error('bad code'); }"));
  const bad = await project.run('deploy', '--detach', '--rollback-on-failure', ...kept);
  expect(bad.exitCode).toBe(5);
  expect(bad.json.errors).toContainEqual(expect.objectContaining({ code: 'rolled-back' }));
  expect(bad.stderr).toContain('bad code');
  expect(bad.json.data.rolledBackTo).toMatchObject({ number: 5 });
  expect(await statuses()).toEqual([
    ...Array.from({ length: 5 }, () => 'stable'),
    'rolled-back',
    'stable',
  ]);
  await restRuns(2);
  const audit = await project.run('audit');
  expect(audit.json.data.entries.map((e: { result: string }) => e.result).toReversed()).toEqual([
    ...Array.from({ length: 5 }, () => 'succeeded'),
    'failed',
  ]);
});

it('rolls back without sources, to a bundle that the cluster has kept, and forth again', async () => {
  await project.write('src/app.ts', app('(x) => x'));
  const first = await project.run('deploy', '--detach');
  await project.write('src/app.ts', app('(x) => x + 1'));
  await project.run('deploy', '--detach');
  await rm(join(project.folder, 'src'), { recursive: true });
  const cache = { XDG_CACHE_HOME: join(project.folder, 'empty') };
  const back = await project.start(['rollback', '--json'], cache);
  expect(back.exitCode).toBe(0);
  const { data } = JSON.parse(back.stdout) as { data: Record<string, unknown> };
  expect(data).toMatchObject({ release: first.json.data.release, number: 3, to: 1 });
  expect(await statuses()).toEqual(['stable', 'rolled-back', 'stable']);
  expect((await project.run('rollback', '2')).json.data).toMatchObject({ number: 4, to: 2 });
  expect((await project.run('rollback', '99')).exitCode).toBe(7);
  const { bundleHash } = (await project.run('releases')).json.data.releases.at(-1);
  await rm(join(project.folder, 'home/clusters/demo/artifacts', bundleHash));
  const gone = await project.start(['rollback', '1', '--json'], cache);
  expect(gone.exitCode).toBe(7);
  expect(gone.stderr).toContain('neither in the cluster nor here');
});

it("returns to an earlier release with today's secrets", async () => {
  await project.configure("  args: { password: '${env:PW}' }");
  await project.write(
    'src/app.ts',
    `import { DiscardSink, GeneratorSource, defineJob, types } from 'fctl';
    const args = types.record({ password: types.string });
    export const job = defineJob('endless', { args }, (env, { password }) => {
      env.fromSource(GeneratorSource.of({ create: () => password.length, ratePerSecond: 50 }))
        .sinkTo(DiscardSink.create());
    });`,
  );
  const deploy = (pw: string, ...args: string[]) =>
    project.start(['deploy', '--detach', '--json', ...args], { PW: pw });
  expect((await deploy('hunter2')).exitCode).toBe(0);
  expect((await deploy('hunter2', '--set', 'heartbeat.timeout=11s')).exitCode).toBe(0);
  await project.configure();
  const unknown = await project.run('rollback');
  expect(unknown.exitCode).toBe(3);
  expect(unknown.json.errors).toMatchObject([
    { code: 'secret-missing', path: '/application/args/password' },
  ]);
  await project.configure("  args: { password: '${env:PW}' }");
  const back = await project.start(['rollback', '--json'], { PW: 'correct horse' });
  expect(back.exitCode).toBe(0);
  const secrets = join(project.folder, 'home/clusters/demo/secrets/application-args');
  const { readFileSync } = await import('node:fs');
  expect(readFileSync(secrets, 'utf8')).toContain('correct horse');
  expect(back.stdout).not.toContain('correct horse');
});

describe('a stateful application', () => {
  beforeEach(async () => {
    await project.write('src/app.ts', stateful);
    await project.configure('taskmanager: { slots: 2 }');
    await project.run('deploy', '--detach');
  });

  it('is not started again empty without being told to', async () => {
    const before = project.pid('jobmanager-0');
    const changed = ['--set', 'heartbeat.timeout=11s'];
    const refused = await project.run('deploy', '--detach', ...changed);
    expect(refused.exitCode).toBe(9);
    expect(refused.json.errors[0]).toMatchObject({ code: 'state-would-be-lost' });
    expect(refused.json.errors[0]!.message).toContain("'sums'");
    expect(refused.json.errors[0]!.hint).toContain('--allow-state-loss');
    for (const args of [['restart'], ['restart', 'demo', 'taskmanager-0']]) {
      expect((await project.run(...args)).exitCode).toBe(9);
    }
    expect(project.pid('jobmanager-0')).toBe(before);
    expect(await statuses()).toEqual(['stable']);
    const audit = await project.run('audit');
    expect(audit.json.data.entries[0]).toMatchObject({ result: 'refused' });
    const allowed = await project.run('deploy', '--detach', '--allow-state-loss', ...changed);
    expect(allowed.exitCode).toBe(0);
    expect(project.pid('jobmanager-0')).not.toBe(before);
  });

  it('is scaled up, and down by a TaskManager that it does not use', async () => {
    const before = pids('jobmanager-0', 'taskmanager-0');
    expect((await project.run('scale', '--taskmanagers', '2')).exitCode).toBe(0);
    const down = await project.run('scale', '--taskmanagers', '1');
    expect(down.exitCode).toBe(0);
    expect(actionsOf(down.json.data.plan)).toEqual(['scale taskmanager-1']);
    expect(pids('jobmanager-0', 'taskmanager-0')).toEqual(before);
    expect(await statuses()).toEqual(['stable', 'stable', 'stable']);
    expect((await project.run('plan')).json.data.changes).toBe(false);
  });
});

it('is the same release from another folder, by another user', async () => {
  await project.write(
    'src/app.ts',
    app('(x) => x').replace(
      "('endless', (",
      "('endless', { args: types.record({ input: types.string }) }, (",
    ),
  );
  await project.configure('  args: { input: ./data/in.csv }', 'storage: { shared: [/mnt/data] }');
  const deployed = await project.run('deploy', '--detach');
  const elsewhere = await mkdtemp(join(tmpdir(), 'fctl-elsewhere-'));
  try {
    await cp(join(project.folder, 'src'), join(elsewhere, 'deep/er/src'), { recursive: true });
    await cp(join(project.folder, 'fctl.config.yaml'), join(elsewhere, 'deep/er/fctl.config.yaml'));
    const config = join(elsewhere, 'deep/er/fctl.config.yaml');
    const environment = { HOME: join(elsewhere, 'home'), XDG_CACHE_HOME: '', USER: 'other' };
    const plan = await project.start(['plan', '--json', '-c', config], environment);
    expect(plan.exitCode).toBe(0);
    const { data } = JSON.parse(plan.stdout) as Answer['json'];
    expect(data).toMatchObject({ release: deployed.json.data.release, changes: false, config: [] });
    const again = await project.start(['deploy', '--detach', '--json', '-c', config], environment);
    expect((JSON.parse(again.stdout) as Answer['json']).data.plan.changes).toBe(false);
    const exit = await project.start(['plan', '-c', config, '--detailed-exitcode'], environment);
    expect(exit.exitCode).toBe(0);
  } finally {
    await rm(elsewhere, { recursive: true, force: true });
  }
  const changed = ['plan', '--detailed-exitcode', '--set', 'heartbeat.timeout=11s'];
  expect((await project.start(changed)).exitCode).toBe(2);
});

it('upgrades a session five times, each as planned, the last one rolled back', async () => {
  const options = `--require=${join(project.folder, 'die.cjs')}`;
  await project.write(
    'fctl.config.yaml',
    `cluster: demo\nmode: session\ntaskmanager: { environment: { NODE_OPTIONS: '${options}' } }\n`,
  );
  // A TaskManager with seven slots dies at once.
  await project.write(
    'die.cjs',
    `const { FCTL_CONFIG, FCTL_PROCESS } = process.env;
     if (/^taskmanager/.test(FCTL_PROCESS ?? '') && require(FCTL_CONFIG).slots === 7) process.exit(3);`,
  );
  const start = async (...set: string[]) => {
    const flags = set.flatMap((value) => ['--set', value]);
    const args = ['session', 'start', '--rollback-on-failure', ...flags, '--json'];
    const { exitCode, stdout } = await project.start(args);
    const { data } = JSON.parse(stdout) as Answer['json'];
    return { exitCode, plan: data.plan as { actions: Action[] }, data };
  };
  expect((await start()).exitCode).toBe(0);
  expect(actionsOf((await start('taskmanager.slots=2')).plan)).toEqual(['replace taskmanager-0']);
  const two = ['taskmanager.slots=2', 'taskmanager.replicas=2'];
  expect(actionsOf((await start(...two)).plan)).toEqual(['scale taskmanager-1']);
  const kept = await start(...two, 'retention=2h');
  expect(actionsOf(kept.plan)).toEqual([]);
  const master = await start(...two, 'retention=2h', 'restart.strategy=fixed-delay');
  expect(actionsOf(master.plan)).toEqual(['replace jobmanager-0']);
  const bad = await start('taskmanager.slots=7', 'taskmanager.replicas=2');
  expect(bad.exitCode).toBe(5);
  expect(bad.data.rolledBackTo).toMatchObject({ number: 5 });
  const { json } = await project.run('status');
  expect(json.data.state).toBe('RUNNING');
  expect(await statuses()).toEqual([
    ...Array.from({ length: 5 }, () => 'stable'),
    'rolled-back',
    'stable',
  ]);
});

describe('hooks', () => {
  const hook = async (name: string, script: string) => {
    await project.write(`.fctl/hooks/${name}`, `#!/bin/sh\n${script}\n`);
    await chmod(join(project.folder, '.fctl/hooks', name), 0o755);
  };
  beforeEach(() => project.write('src/app.ts', app('(x) => x')));

  it('run around a deployment, and are told about it', async () => {
    const facts = '$FCTL_HOOK $FCTL_OPERATION $FCTL_CLUSTER $FCTL_MODE $FCTL_PROVIDER';
    await hook('pre-deploy', `echo "${facts}" >> seen; grep -c jobmanager-0 "$FCTL_PLAN" >> seen`);
    await hook('post-deploy', `echo "${facts} $FCTL_REST" >> seen; echo to people`);
    const { exitCode, stderr } = await project.run('deploy', '--detach');
    expect(exitCode).toBe(0);
    expect(stderr).toContain('to people');
    const { readFileSync } = await import('node:fs');
    const seen = () => readFileSync(join(project.folder, 'seen'), 'utf8').trim().split('\n');
    expect(seen()).toEqual([
      'pre-deploy deploy demo application local',
      '1',
      expect.stringMatching(/^post-deploy deploy demo application local http:/),
    ]);
    expect((await project.run('deploy', '--detach')).json.data.plan.changes).toBe(false);
    expect(seen()).toHaveLength(3); // nothing to do, nothing to hear of
    await project.run('deploy', '--detach', '--no-hooks', '--set', 'heartbeat.timeout=11s');
    expect(seen()).toHaveLength(3);
  });

  it('stop it before anything was changed, or fail it after', async () => {
    await hook('on-failure', 'echo "$FCTL_HOOK: $FCTL_ERROR" >&2');
    await hook('pre-deploy', 'exit 3');
    const stopped = await project.run('deploy', '--detach');
    expect(stopped.exitCode).toBe(5);
    expect(stopped.json.errors[0]).toMatchObject({
      code: 'hook-failed',
      hint: 'nothing was changed',
    });
    expect(stopped.stderr).not.toContain('on-failure:');
    expect(project.running()).toEqual([]);
    await rm(join(project.folder, '.fctl/hooks/pre-deploy'));
    await hook('post-deploy', 'exit 4');
    const failed = await project.run('deploy', '--detach');
    expect(failed.exitCode).toBe(5);
    expect(failed.stderr).toContain('on-failure: the hook post-deploy failed with exit code 4');
    expect(await statuses()).toEqual(['failed']);
    await chmod(join(project.folder, '.fctl/hooks/post-deploy'), 0o644);
    const unusable = await project.run('deploy', '--detach');
    expect(unusable.exitCode).toBe(3);
    expect(unusable.json.errors[0]).toMatchObject({ code: 'hook-not-executable' });
  });

  it('end with Ctrl-C; whoever took the lock meanwhile is not disturbed', async () => {
    await hook('pre-deploy', 'echo "waits in $$"; sleep 1000');
    const deploy = project.start(['deploy', '--detach']);
    let stderr = '';
    deploy.stderr!.on('data', (chunk: Buffer) => (stderr += String(chunk)));
    const pid = () => Number(/waits in (\d+)/.exec(stderr)?.[1] ?? 0);
    await eventually(() => pid() > 0);
    const held = await project.run('lock', 'status');
    expect(held.json.data).toMatchObject({ held: true });
    expect(held.json.data.message).toContain('deploy release');
    const late = await project.run('deploy', '--detach', '--lock-wait', '1ms');
    expect(late.exitCode).toBe(8);
    expect(late.json.errors[0]!.message).toContain(held.json.data.holder);
    expect((await project.run('lock', 'release')).exitCode).toBe(2); // nobody is asked
    expect((await project.run('lock', 'release', '--yes')).json.data.released).toBe(true);
    expect((await project.run('lock', 'status')).json.data.held).toBe(false);
    const first = pid();
    expect((await deploy).exitCode).toBe(8); // it notices, and ends its hook
    await eventually(() => !isAlive(first));
    expect(project.running()).toEqual([]);
    const second = project.start(['deploy', '--detach']);
    stderr = '';
    second.stderr!.on('data', (chunk: Buffer) => (stderr += String(chunk)));
    await eventually(() => pid() > 0);
    second.kill('SIGINT');
    expect((await second).exitCode).toBe(130);
    await eventually(() => !isAlive(pid()));
  });

  it('cannot make a holder go on whose lock was taken away', async () => {
    await hook('pre-deploy', 'while [ ! -e go ]; do sleep 0.05; done');
    const deploy = project.start(['deploy', '--detach']);
    await eventually(async () => (await project.run('lock', 'status')).json.data?.held === true);
    deploy.kill('SIGSTOP');
    await project.run('lock', 'release', '--yes');
    await project.write('go', '');
    deploy.kill('SIGCONT');
    const { exitCode, stderr } = await deploy;
    expect(exitCode).toBe(8);
    expect(stderr).toContain('took over the cluster');
    expect(project.running()).toEqual([]);
    expect((await project.run('releases')).json.data.releases).toEqual([]);
    expect((await project.run('deploy', '--detach')).exitCode).toBe(0);
  });
});

it('runs a command where a process runs, and restarts processes', async () => {
  await project.write('src/app.ts', app('(x) => x'));
  await project.run('deploy', '--detach');
  const exec = project.start(['exec', 'demo', 'taskmanager-0', '--', 'sh', '-c', 'cat; exit 7']);
  exec.stdin!.end('piped');
  expect(await exec).toMatchObject({ exitCode: 7, stdout: 'piped' });
  expect((await project.start(['exec', 'demo', 'nobody', '--', 'true'])).exitCode).toBe(125);
  const [master, worker] = pids('jobmanager-0', 'taskmanager-0');
  const all = await project.run('restart', '--role', 'taskmanager');
  expect(all.exitCode).toBe(0);
  // Its application uses the TaskManager, so it starts again with it.
  expect(all.json.data.restarted).toEqual(['jobmanager-0', 'taskmanager-0']);
  expect(pids('jobmanager-0', 'taskmanager-0')).not.toContain(master);
  expect(pids('jobmanager-0', 'taskmanager-0')).not.toContain(worker);
  await restRuns(1);
  expect((await project.run('restart', 'demo', 'nobody')).exitCode).toBe(7);
  const logs = await project.start(['logs', '--role', 'jobmanager', '-n', '1']);
  expect(logs.stdout).toMatch(/^jobmanager-0 /);
  expect((await project.run('destroy')).exitCode).toBe(2);
  expect((await project.run('destroy', '--yes')).json.data).toMatchObject({ kept: [] });
  expect((await project.run('prune', '--yes')).json.data.removed).toEqual([]);
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
