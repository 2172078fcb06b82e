/** The local provider with real processes: small scripts that stand for JobManager and TaskManager. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { demo } from '../../demo.ts';
import { DocumentName } from '../../../src/record/documents.ts';
import { sha256 } from '../../../src/contract/hash.ts';
import type { ClusterSpec, ProcessSpec } from '../../../src/contract/process-spec.ts';
import { createLocalProvider } from '../../../src/providers/local/index.ts';
import { identifyProcess } from '../../../src/providers/local/process-table.ts';
import type { Action } from '../../../src/contract/plan.ts';
import type { Provider } from '../../../src/providers/provider.ts';
import { converge } from '../../../src/providers/testing/small-cluster.ts';
import { eventually } from './eventually.ts';

const never = new AbortController().signal;
const call = { signal: never };
const locked = { fence: 1, signal: never };
const gently = { fence: null, deleteState: false, signal: never };
const silently = { onProgress: () => {}, signal: never };
let home: string;
let provider: Provider;
const supervisor = resolve(import.meta.dirname, '../../../templates/supervise.sh');

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'fctl-local-'));
  await writeFile(join(home, 'jobmanager.js'), '');
  provider = createLocalProvider({
    home,
    runtimeDir: home,
    supervisor,
    node: process.execPath,
    environment: process.env,
  });
});
afterEach(async () => {
  for (const id of (await provider.list(call)).clusters) await provider.destroy(id, gently);
  await rm(home, { recursive: true, force: true });
});

const idle = 'setInterval(() => {}, 1000)';

function processSpec(script: string, change: Partial<ProcessSpec> = {}): ProcessSpec {
  return {
    role: 'jobmanager',
    count: 1,
    command: ['${runtime.node}', '-e', script],
    environment: { FCTL_CLUSTER_ID: 'demo', SECRET_FILE: '${secret.token}' },
    files: [{ type: 'inline', path: 'config.json', content: '{"logs":"${log.dir}"}' }],
    resources: { cpu: 1, memoryBytes: 1024 },
    ports: [],
    secrets: ['token'],
    readiness: null,
    stop: { signal: 'SIGTERM', gracePeriodMs: 500 },
    labels: {
      'fctl.dev/cluster': 'demo',
      'fctl.dev/release': 'r1',
      'fctl.dev/role': 'jobmanager',
      'fctl.dev/mode': 'application',
    },
    ...change,
  };
}

function clusterSpec(process: ProcessSpec, change: Partial<ClusterSpec> = {}): ClusterSpec {
  return {
    clusterId: demo,
    release: 'r1',
    mode: 'application',
    processes: [process],
    artifacts: [],
    clientDir: home,
    transient: false,
    runtime: { kind: 'fctl' },
    retentionMs: 0,
    secrets: { token: 'top-secret' },
    ...change,
  };
}

const create = (spec: ProcessSpec, process = 'jobmanager-0'): Action => ({
  kind: 'create',
  process,
  role: spec.role,
  index: 0,
  reason: '',
  causes: [],
  endsProcess: false,
  spec,
});

async function start(script: string): Promise<number> {
  const spec = processSpec(script);
  await converge(provider, clusterSpec(spec), [create(spec)], locked);
  const observed = await provider.observe(demo, call);
  return Number(observed!.processes[0]!.location.replace('pid ', ''));
}

const gone = (pid: number) => eventually(async () => (await identifyProcess(pid)) === null);
const output = (text: string) =>
  eventually(async () => {
    const out = await readFile(join(home, 'clusters/demo/logs/jobmanager-0.out'), 'utf8').catch(
      () => '',
    );
    return out.includes(text) ? out : null;
  });

describe('starting', () => {
  it('substitutes placeholders, lays files and hands over secrets by path', async () => {
    await start(
      `const fs = require('fs'), path = require('path');
       console.log(fs.readFileSync(process.env.SECRET_FILE, 'utf8'), fs.statSync(process.env.SECRET_FILE).mode & 0o777);
       console.log(JSON.parse(fs.readFileSync(process.env.FCTL_PROCESS_DIR + '/config.json')).logs);
       console.log(process.env.FCTL_PROCESS, 'end'); ${idle}`,
    );
    const out = await output('end');
    expect(out).toContain(`top-secret ${0o600}`);
    expect(out).toContain(join(home, 'clusters/demo/logs'));
    expect(out).toContain('jobmanager-0 end');
  });

  it('refuses a placeholder that it does not know, and starts nothing', async () => {
    const spec = processSpec(idle, { command: ['${runtime.node}', '${node.port}'] });
    await expect(converge(provider, clusterSpec(spec), [create(spec)], locked)).rejects.toThrow(
      '${node.port}',
    );
    expect(
      (await provider.observe(demo, call))!.processes.filter((p) => p.status === 'running'),
    ).toEqual([]);
  });

  it('leaves a process that another instance of the provider finds and ends', async () => {
    const pid = await start(idle);
    const other = createLocalProvider({
      home,
      runtimeDir: home,
      supervisor,
      node: process.execPath,
      environment: {},
    });
    expect((await other.observe(demo, call))!.processes).toMatchObject([
      {
        name: 'jobmanager-0',
        role: 'jobmanager',
        release: 'r1',
        status: 'running',
        location: `pid ${pid}`,
      },
    ]);
    await other.destroy(demo, gently);
    await gone(pid);
    expect((await provider.list(call)).clusters).toEqual([]);
    expect(await provider.observe(demo, call)).toBeNull();
  });

  it('replaces a running process of the same name', async () => {
    const first = await start(idle);
    const second = await start(idle);
    expect(second).not.toBe(first);
    await gone(first);
  });
});

describe('ending', () => {
  it('kills a process that ignores SIGTERM', async () => {
    const pid = await start(`process.on('SIGTERM', () => {}); console.log('ready'); ${idle}`);
    await output('ready');
    await provider.destroy(demo, gently);
    expect(await identifyProcess(pid)).toBeNull();
  });

  it('ends what the process started, also when the process itself is gone', async () => {
    const script = `const child = require('child_process').spawn(process.execPath, ['-e', '${idle}'], { detached: true, stdio: 'ignore' });
      console.log('child ' + child.pid); ${idle}`;
    const pid = await start(script);
    const child = Number(/child (\d+)/.exec(await output('child'))![1]);
    process.kill(pid, 'SIGKILL');
    await gone(pid);
    expect(await identifyProcess(child)).not.toBeNull();
    await provider.destroy(demo, gently);
    await gone(child);
  });

  it('never touches a process that only has the same pid', async () => {
    const pid = await start(idle);
    const file = join(home, 'clusters/demo/processes/jobmanager-0/process.json');
    const known = JSON.parse(await readFile(file, 'utf8')) as { supervisor: { pid: number } };
    process.kill(-known.supervisor.pid, 'SIGKILL');
    await gone(pid);
    await gone(known.supervisor.pid);
    const stranger = spawn(process.execPath, ['-e', idle], { stdio: 'ignore' });
    await once(stranger, 'spawn');
    const supervisor = { pid: stranger.pid, identity: 'of an earlier process' };
    await writeFile(file, JSON.stringify({ ...known, pid: stranger.pid, supervisor }));
    expect((await provider.observe(demo, call))!.processes[0]!.status).toBe('lost');
    await provider.destroy(demo, gently);
    expect(await identifyProcess(stranger.pid!)).not.toBeNull();
    stranger.kill('SIGKILL');
    await once(stranger, 'exit');
  });

  it('tells one that is suspended, and ends it all the same', async () => {
    const pid = await start(idle);
    const found = async () => (await provider.observe(demo, call))!.processes[0]!;
    expect(await found()).toMatchObject({ suspended: false, location: `pid ${pid}` });
    process.kill(pid, 'SIGSTOP');
    await eventually(async () => (await found()).suspended);
    expect(await found()).toMatchObject({ status: 'running', location: `pid ${pid}, suspended` });
    process.kill(pid, 'SIGCONT');
    await eventually(async () => !(await found()).suspended);
    process.kill(pid, 'SIGSTOP');
    await provider.destroy(demo, gently);
    await gone(pid);
  });

  it('takes a zombie for gone', async () => {
    const parent = spawn('sh', ['-c', 'sleep 0 & echo $!; exec sleep 30'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const [line] = (await once(parent.stdout, 'data')) as [Buffer];
    const pid = Number(line.toString());
    await gone(pid); // its parent never waits for it
    expect(await readFile(`/proc/${pid}/stat`, 'utf8')).toContain(') Z ');
    parent.kill('SIGKILL');
    await once(parent, 'exit');
  });
});

/** A process and its supervisor, as they are shown. */
async function pidsOf(pid: number): Promise<string[]> {
  const file = join(home, 'clusters/demo/processes/jobmanager-0/process.json');
  const known = JSON.parse(await readFile(file, 'utf8')) as { supervisor: { pid: number } };
  return [pid, known.supervisor.pid].map((id) => `pid ${id}`);
}

describe('a client that died half-way', () => {
  it('finds a process whose pid was never written', async () => {
    const pid = await start(idle);
    const pids = await pidsOf(pid);
    await rm(join(home, 'clusters/demo/processes/jobmanager-0/process.json'));
    const [found] = (await provider.observe(demo, call))!.processes;
    expect(found).toMatchObject({ status: 'running' });
    expect(pids).toContain(found!.location);
    await provider.destroy(demo, gently);
    await gone(pid);
  });

  it('reports a process that was never started', async () => {
    await start(idle);
    await converge(
      provider,
      clusterSpec(processSpec(idle)),
      [{ ...create(processSpec(idle)), kind: 'delete', spec: null }],
      locked,
    );
    const folder = join(home, 'clusters/demo/processes/taskmanager-0');
    await mkdir(folder, { recursive: true });
    await writeFile(
      join(folder, 'spec.json'),
      JSON.stringify({ spec: processSpec(idle), index: 0 }),
    );
    expect((await provider.observe(demo, call))!.processes).toMatchObject([
      { name: 'taskmanager-0', status: 'lost', location: 'never started' },
    ]);
  });

  it('shows orphans and removes them, and only them', async () => {
    const pid = await start(idle);
    await provider.record(demo).write(DocumentName.cluster, { protocol: 1 }, null);
    expect(await provider.leftovers(call)).toEqual([]);
    const pids = await pidsOf(pid);
    await rm(join(home, 'clusters/demo'), { recursive: true });
    const orphans = await provider.leftovers(call);
    expect(orphans).toMatchObject([{ clusterId: 'demo', kind: 'process' }]);
    expect(pids).toContain(orphans[0]!.what);
    await provider.remove(orphans[0]!, call);
    await gone(pid);
    expect(await provider.leftovers(call)).toEqual([]);
  });
});

it('gives a process what it declares, and of the shell only where things are', async () => {
  await provider.close();
  provider = createLocalProvider({
    home,
    runtimeDir: home,
    supervisor,
    node: process.execPath,
    environment: {
      ...process.env,
      NODE_OPTIONS: '--require ./no-such-file.cjs',
      HTTP_PROXY: 'http://127.0.0.1:9',
      TZ: 'Asia/Tokyo',
      LC_ALL: 'tr_TR.UTF-8',
      DATABASE_PASSWORD: 'of the shell',
      SSH_AUTH_SOCK: '/tmp/agent',
      FCTL_PROVIDER: 'docker',
    },
  });
  const script = `console.log('names', Object.keys(process.env).sort().join(), process.env.TZ, 'end'); ${idle}`;
  const spec = { ...processSpec(script), environment: { OWN: 'value', FCTL_CLUSTER_ID: 'demo' } };
  await converge(provider, clusterSpec(spec), [create(spec)], locked);
  const [, names, zone] = /^names (\S+) (\S+) end$/m.exec(await output('end'))!;
  const machine = ['HOME', 'LOGNAME', 'PATH', 'TMPDIR', 'USER'].filter((n) => n in process.env);
  const ofTheShell = ['_', 'OLDPWD', 'PWD', 'SHLVL']; // what `sh` itself sets
  expect(names!.split(',').filter((name) => !ofTheShell.includes(name))).toEqual(
    [
      'FCTL_ADDRESS',
      'FCTL_BIND',
      'FCTL_CLUSTER_ID',
      'FCTL_INDEX',
      'FCTL_PROCESS',
      'FCTL_PROCESS_DIR',
      'FCTL_RECORD',
      'FCTL_RELEASE',
      'FCTL_WORK_DIR',
      'LANG',
      'OWN',
      'TZ',
      ...machine,
    ].sort(),
  );
  expect(zone).toBe('UTC');
});

it('lets the spec say another time zone', async () => {
  const script = `console.log(new Date(0).getTimezoneOffset(), 'end'); ${idle}`;
  const spec = processSpec(script);
  const environment = { ...spec.environment, TZ: 'Asia/Tokyo' };
  await converge(provider, clusterSpec(spec), [create({ ...spec, environment })], locked);
  expect(await output('end')).toContain('-540 end');
});

describe('preflight', () => {
  it('looks for a port at the address that will be listened on', async () => {
    const holder = createServer().listen(0, '127.0.0.2');
    await once(holder, 'listening');
    const { port } = holder.address() as AddressInfo;
    const codes = async (bind: string) => {
      const spec = processSpec(idle, { ports: [{ name: 'rest', port, bind }] });
      const found = await provider.preflight(clusterSpec(spec), call);
      return found.map(({ code, path }) => `${code} ${path}`);
    };
    try {
      expect(await codes('127.0.0.2')).toEqual(['port-taken /jobmanager/rest/port']);
      expect(await codes('127.0.0.1')).toEqual([]);
      expect(await codes('[::1]')).toEqual(['address-not-usable /jobmanager/rest/bind']);
      expect(await codes('192.0.2.1')).toEqual(['address-not-usable /jobmanager/rest/bind']);
    } finally {
      holder.close();
    }
  });

  it('takes a port for its own only while its JobManager runs', async () => {
    const holder = createServer().listen(0, '127.0.0.1');
    await once(holder, 'listening');
    const { port } = holder.address() as AddressInfo;
    const spec = processSpec(idle, { ports: [{ name: 'rest', port }] });
    const codes = async () =>
      (await provider.preflight(clusterSpec(spec), call)).map(({ code }) => code);
    await converge(provider, clusterSpec(spec), [create(spec)], locked);
    const jobmanager = { resourceId: 'jobmanager-0/1' };
    const endpoint = { protocol: 1, epoch: 1, rest: `http://127.0.0.1:${port}`, jobmanager };
    await provider.record(demo).write(DocumentName.endpoint, endpoint, null);
    try {
      expect(await codes()).toEqual([]);
      await converge(
        provider,
        clusterSpec(spec),
        [{ ...create(spec), kind: 'delete', spec: null }],
        locked,
      );
      expect(await codes()).toEqual(['port-taken']);
    } finally {
      holder.close();
    }
  });

  it('finds every problem at once', async () => {
    const holder = createServer().listen(0, '127.0.0.1');
    await once(holder, 'listening');
    const { port } = holder.address() as AddressInfo;
    const spec = processSpec(idle, {
      ports: [{ name: 'rest', port }],
      resources: { cpu: 1, memoryBytes: 2 ** 50 },
    });
    const problems = await provider.preflight(clusterSpec(spec), call);
    expect(problems.map((p) => p.code).sort()).toEqual(['not-enough-memory', 'port-taken']);
    expect(problems.find((p) => p.code === 'port-taken')).toMatchObject({
      path: '/jobmanager/rest/port',
      message: `port ${port} is taken by another process`,
    });
    holder.close();
  });

  it.each([
    ['#!/bin/sh\necho v22.17.9\n', 'node-too-old', 'is Node.js 22.17.9'],
    ['#!/bin/sh\necho hello\n', 'node-not-usable', 'is not Node.js'],
    ['#!/gone/interpreter\n', 'node-not-usable', 'does not run on this machine'],
    ['#!/bin/sh\necho v22.18.0\n', null, null],
  ])('tries the Node.js of the config out: %j', async (content, code, message) => {
    const node = join(home, 'node');
    await writeFile(node, content, { mode: 0o755 });
    const options = { home, runtimeDir: home, supervisor, node, environment: {} };
    const spec = clusterSpec(processSpec(idle));
    const problems = await createLocalProvider(options).preflight(spec, call);
    if (code === null) expect(problems).toEqual([]);
    else expect(problems).toMatchObject([{ code, path: '/runtime/node' }]);
    if (message !== null) expect(problems[0]!.message).toContain(message);
  });

  it('names a home that cannot be written', async () => {
    await writeFile(join(home, 'file'), '');
    const broken = createLocalProvider({
      home: join(home, 'file', 'below'),
      runtimeDir: home,
      supervisor,
      node: process.execPath,
      environment: {},
    });
    const problems = await broken.preflight(clusterSpec(processSpec(idle)), call);
    expect(problems).toMatchObject([{ code: 'home-not-writable', path: '/providers/local/dir' }]);
  });
});

describe('artifacts', () => {
  it('verifies what it ships', async () => {
    const file = join(home, 'bundle.mjs');
    await writeFile(file, 'export {}');
    const hash = sha256('export {}');
    const store = provider.artifacts(demo);
    expect(await store.has(hash, call)).toBe(false);
    expect(await store.put({ hash, name: 'bundle', sizeBytes: 9, file }, silently)).toBe(9);
    expect(await store.has(hash, call)).toBe(true);
    await writeFile(join(home, 'clusters/demo/artifacts', hash), 'corrupt');
    expect(await store.has(hash, call)).toBe(false);
    await writeFile(file, 'changed meanwhile');
    await expect(store.put({ hash, name: 'bundle', sizeBytes: 9, file }, silently)).rejects.toThrow(
      'bundle is not what was sent',
    );
    expect(await store.has(hash, call)).toBe(false);
  });
});
