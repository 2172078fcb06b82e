/**
 * The provider contract (provider.ts, V1 to V6) as tests that every provider passes. They are safe beside
 * each other and beside other clusters of the same place: each has clusters of its own, by random ids, and
 * none expects the place to be empty.
 *
 * Over the usual length: the contract is read from one end to the other by whoever writes a provider.
 */
import { type ClusterId, parseClusterId } from '../../contract/cluster-id.ts';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FctlError } from '../../contract/errors.ts';
import { ExitCode } from '../../contract/exit-codes.ts';
import { sha256 } from '../../contract/hash.ts';
import type { Artifact, ClusterSpec } from '../../contract/process-spec.ts';
import { DocumentName, type LockDocument } from '../../record/documents.ts';
import { readDocument } from '../../record/record.ts';
import type { ExecStreams, LogOptions, Provider } from '../provider.ts';
import {
  actionOn,
  converge,
  convergeAll,
  idle,
  processNames,
  secret,
  smallCluster,
} from './small-cluster.ts';

/** A place, and what a test does to it behind the provider's back. */
export interface ProviderUnderTest {
  /** A client of the place, which knows nothing of the others. Its `close` is up to the suite. */
  open(): Promise<Provider>;
  /** Changes the content of an artifact where it was shipped to. */
  corrupt(clusterId: ClusterId, hash: string): Promise<void>;
  /** Ends one process of the cluster as a crash would: SIGKILL, to it and not to whoever starts it again. */
  crash(clusterId: ClusterId, process: string): Promise<void>;
  /** Something that is there, looks as if it belonged to the cluster, and is not ours. */
  foreigner(
    clusterId: ClusterId,
  ): Promise<{ isUntouched(): Promise<boolean>; remove(): Promise<void> }>;
  /**
   * Tells the program `talk` of a cluster's JobManager something; absent: by making a file of that name in
   * its working folder, with a command.
   */
  tell?(clusterId: ClusterId, what: string): Promise<void>;
  /** Removes the place with everything in it. */
  close(): Promise<void>;
}

/** What the processes of the suite do, as scripts for the Node.js of the place. */
export const nodePrograms = {
  /** Runs until it is ended. */
  idle,
  /** Prints `up`, and idles. */
  up: `console.log('up'); ${idle}`,
  /** Prints `run`, and idles. */
  run: `console.log('run'); ${idle}`,
  /** Prints `deaf`, and does not end by the stop signal. */
  deaf: `process.on('SIGTERM', () => {}); console.log('deaf'); ${idle}`,
  /** Prints `done`, and ends with exit code 0. */
  done: `console.log('done'); process.exitCode = 0`,
  /** Prints `one` and, to stderr, `two`; then `ready` when it is told `told`, and `three` when `go`. */
  talk: `console.log('one'); console.error('two'); ${idle};
    const after = (file, text) => { const wait = setInterval(() => {
      if (!require('fs').existsSync(process.env.FCTL_WORK_DIR + '/' + file)) return;
      clearInterval(wait); console.log(text); }, 10); };
    after('told', 'ready'); after('go', 'three');`,
} as const;
type Programs = Readonly<Record<keyof typeof nodePrograms, string>>;

export interface SuiteOptions {
  /** How long the place may take to be made, and to be removed. Default: 30 s. */
  readonly hookTimeoutMs?: number;
  /** How long to wait for what a provider does not wait for: output, a restart. Default: 60 s. */
  readonly patienceMs?: number;
  /** Between two looks. Default: 10 ms; a server that others use, too, is asked more rarely. */
  readonly pauseMs?: number;
  /** Whether the tests run at the same time. Default: one after the other. */
  readonly concurrent?: boolean;
  /**
   * What the processes do, where they are none that run JavaScript: then tests that need its programs are
   * left out.
   */
  readonly programs?: Programs;
}

const never = new AbortController().signal;
const call = { signal: never };
const locked = { fence: 1, signal: never };
const silently = { onProgress: () => {}, signal: never };

/** The error that a call rejects with, which a user can mend (V5). */
async function errorOf(asked: Promise<unknown>): Promise<FctlError> {
  const error = await asked.then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(FctlError);
  return error as FctlError;
}

const lock = (epoch: number): LockDocument => ({
  holder: `somebody@elsewhere/${epoch}`,
  machine: 'elsewhere',
  message: 'testing',
  epoch,
  acquiredAt: 0,
  termMs: 60_000,
  released: false,
});

/** One test: clients, cluster ids and a folder of its own. */
async function openCase(place: ProviderUnderTest, patienceMs: number, pauseMs: number) {
  const mark = randomBytes(4).toString('hex');
  const [id, otherId] = [parseClusterId(`ct-${mark}`), parseClusterId(`ct-${mark}-b`)];
  const clientDir = await mkdtemp(join(tmpdir(), 'fctl-contract-'));
  const provider = await place.open();
  const clients = [provider];
  const another = async () => {
    const client = await place.open();
    clients.push(client);
    return client;
  };

  async function eventually<T>(probe: () => Promise<T | null | false>): Promise<T> {
    const end = performance.now() + patienceMs;
    for (;;) {
      const value = await probe();
      if (value !== null && value !== false) return value;
      if (performance.now() > end) throw new Error(`did not happen within ${patienceMs / 1000} s`);
      await delay(pauseMs);
    }
  }

  const destroy = (clusterId: ClusterId, fence: number | null = 1) =>
    provider.destroy(clusterId, { fence, deleteState: false, signal: never });
  const clusters = async (by: Provider = provider) => (await by.list(call)).clusters;
  const scope = () => (provider.capabilities.commonFiles ? 'common' : 'separate');
  const leftovers = async (by: Provider = provider) =>
    (await by.leftovers(call)).filter(({ clusterId }) => clusterId === id);
  const observe = async (clusterId: ClusterId, by: Provider = provider) =>
    (await by.observe(clusterId, call))?.processes ?? [];

  /** What a deployment does, with the lock of epoch 1. */
  async function deploy(spec: ClusterSpec, by: Provider = provider): Promise<void> {
    await by.install(spec.runtime, silently);
    const store = by.record(spec.clusterId);
    const { value, version } = await readDocument(store, DocumentName.lock);
    if (value === null) await store.write(DocumentName.lock, lock(1), version);
    const { version: described } = await readDocument(store, DocumentName.cluster);
    await store.write(DocumentName.cluster, { protocol: 1 }, described);
    for (const artifact of spec.artifacts) {
      if (!(await by.artifacts(spec.clusterId).has(artifact.hash, call)))
        await by.artifacts(spec.clusterId).put(artifact, silently);
    }
    await convergeAll(by, spec, locked);
  }

  async function read(
    clusterId: ClusterId,
    process: string,
    change: Partial<LogOptions> = {},
  ): Promise<string> {
    const options = { stream: 'out', follow: false, tail: null, signal: never } as const;
    return text(await provider.logs(clusterId, process, { ...options, ...change }));
  }

  /** What a process printed, once it holds `part`. */
  const printed = (clusterId: ClusterId, process: string, part: string) =>
    eventually(async () => {
      const out = await read(clusterId, process).catch(() => '');
      return out.includes(part) ? out : null;
    });

  async function run(
    clusterId: ClusterId,
    command: readonly string[],
    change: Partial<ExecStreams> = {},
  ) {
    const stdout = new PassThrough();
    const stderr = new PassThrough();
    const said = Promise.all([text(stdout), text(stderr)]);
    const io = { stdin: null, stdout, stderr, signal: never, ...change };
    const code = await provider.exec!(clusterId, 'jobmanager-0', command, io).finally(() =>
      [stdout, stderr].forEach((stream) => stream.end()),
    );
    const [out, err] = await said;
    return { code, out, err };
  }

  async function tell(what: string): Promise<void> {
    if (place.tell) return place.tell(id, what);
    await run(id, ['sh', '-c', `> "$FCTL_WORK_DIR/${what}"`]);
  }

  async function bundle(content: string): Promise<Artifact> {
    const file = join(clientDir, 'bundle.mjs');
    await writeFile(file, content);
    return { hash: sha256(content), name: 'bundle', sizeBytes: Buffer.byteLength(content), file };
  }

  async function end(): Promise<void> {
    for (const clusterId of [id, otherId]) await destroy(clusterId, null);
    for (const client of clients) await client.close();
    await rm(clientDir, { recursive: true, force: true });
  }

  const clusterTools = { deploy, destroy, observe, clusters, leftovers, read, printed };
  const processTools = { run, tell, bundle, eventually, scope };
  const own = { id, otherId, clientDir, provider, place, another };
  return { ...own, ...clusterTools, ...processTools, end };
}
type Case = Awaited<ReturnType<typeof openCase>>;

/**
 * Declares the suite, as tests of vitest.
 * @param create makes the place; called once.
 */
export function describeProvider(
  name: string,
  create: () => Promise<ProviderUnderTest>,
  options: SuiteOptions = {},
): void {
  const { concurrent = false, hookTimeoutMs = 30_000, patienceMs = 60_000, pauseMs = 10 } = options;
  const programs: Programs = options.programs ?? nodePrograms;
  let made: ProviderUnderTest;
  let canExecute = true;
  beforeAll(async () => {
    made = await create();
    const client = await made.open();
    canExecute = client.capabilities.exec;
    await client.close();
  }, hookTimeoutMs);
  afterAll(() => made.close(), hookTimeoutMs);

  const declare = concurrent ? it.concurrent : it;
  const test = (title: string, body: (tools: Case) => Promise<void>) =>
    declare(title, async () => {
      const tools = await openCase(made, patienceMs, pauseMs);
      try {
        await body(tools);
      } finally {
        await tools.end();
      }
    });
  /** For places whose processes run JavaScript. */
  const runs: typeof test = (title, body) => (options.programs ? undefined : test(title, body));
  /** For places that can run commands. */
  const executes: typeof test = (title, body) =>
    test(title, async (tools) => (canExecute ? body(tools) : undefined));

  describe(`${name}: starting and finding`, () => {
    test('knows nothing of what is not there', async ({ id, provider, clusters, leftovers }) => {
      expect(await clusters()).not.toContain(id);
      expect(await provider.observe(id, call)).toBeNull();
      expect(await provider.connect(id, call)).toBeNull();
      expect(await leftovers()).toEqual([]);
      expect(await readDocument(provider.record(id), 'lock')).toMatchObject({
        version: null,
        value: null,
      });
      expect(await clusters()).not.toContain(id);
    });

    test('V1: what one client started another one finds, as it was wanted', async ({
      id,
      clientDir,
      deploy,
      observe,
      another,
      clusters,
    }) => {
      const spec = smallCluster({
        clusterId: id,
        taskManager: programs.idle,
        taskManagers: 2,
        clientDir,
      });
      await deploy(spec);
      const other = await another();
      expect(await clusters(other)).toContain(id);
      const processes = await observe(id, other);
      expect(processes.map((p) => p.name).sort()).toEqual([
        'jobmanager-0',
        'taskmanager-0',
        'taskmanager-1',
      ]);
      for (const process of processes) {
        expect(process).toMatchObject({
          release: 'r1',
          status: 'running',
          misplaced: null,
          restarts: 0,
          spec: spec.processes.find((p) => p.role === process.role),
        });
      }
    });

    runs(
      'tells a process its place: files, secrets, addresses, artifacts',
      async ({ id, clientDir, deploy, printed, bundle, scope }) => {
        const artifact = await bundle('the bundle');
        const script = `const fs = require('fs'); const path = process.env;
        const config = JSON.parse(fs.readFileSync(path.FCTL_CONFIG_FILE));
        console.log(path.FCTL_PROCESS, path.FCTL_INDEX, path.FCTL_RELEASE, path.SCOPE, fs.readFileSync(path.SECRET_FILE, 'utf8'), fs.existsSync(config.logs));
        console.log(fs.readFileSync(path.BUNDLE, 'utf8'), 'FCTL_PROCESS=' + path.FCTL_PROCESS, 'end'); ${programs.idle}`;
        const spec = smallCluster({ clusterId: id, script, artifacts: [artifact], clientDir });
        const [jobManager] = spec.processes;
        const environment = {
          ...jobManager!.environment,
          FCTL_CONFIG_FILE: '${process.dir}/config.json',
          BUNDLE: `\${artifact.${artifact.hash}}`,
        };
        await deploy({ ...spec, processes: [{ ...jobManager!, environment }] });
        const out = await printed(id, 'jobmanager-0', 'end');
        expect(out).toContain(`jobmanager-0 0 r1 ${scope()} ${secret} true`);
        expect(out).toContain('the bundle FCTL_PROCESS=jobmanager-0 end');
      },
    );

    runs(
      'gives all processes of a role the same files, and tells each apart by its environment',
      async ({ id, clientDir, deploy, printed, scope }) => {
        const taskManager = `const { FCTL_INDEX, FCTL_PROCESS, FCTL_PROCESS_DIR, FCTL_RECORD, FCTL_WORK_DIR } = process.env;
        const file = require('fs').readFileSync(FCTL_PROCESS_DIR + '/role.conf', 'utf8');
        console.log(JSON.stringify([FCTL_PROCESS, FCTL_INDEX, file, FCTL_WORK_DIR, FCTL_RECORD]), 'end'); ${programs.idle}`;
        const spec = smallCluster({ clusterId: id, taskManager, taskManagers: 2, clientDir });
        const content = 'files: ${storage.scope}\nliteral: $${storage.scope}\n';
        const files = [{ type: 'inline', path: 'role.conf', content } as const];
        await deploy({ ...spec, processes: spec.processes.map((role) => ({ ...role, files })) });
        const folders = new Set<string>();
        for (const index of [0, 1]) {
          const out = await printed(id, `taskmanager-${index}`, 'end');
          const [process, at, file, work, record] = JSON.parse(out.split(' end')[0]!) as string[];
          expect([process, at]).toEqual([`taskmanager-${index}`, String(index)]);
          expect(file).toBe(`files: ${scope()}\nliteral: \${storage.scope}\n`);
          expect(record).toMatch(/^(file|http):/);
          folders.add(work!);
        }
        expect(folders.size).toBe(2);
      },
    );

    runs(
      'starts nothing from a spec that it does not understand',
      async ({ id, clientDir, deploy, observe }) => {
        const spec = smallCluster({ clusterId: id, clientDir });
        const command = ['${runtime.node}', '${no.such}'];
        const broken = { ...spec, processes: [{ ...spec.processes[0]!, command }] };
        await expect(deploy(broken)).rejects.toThrow('${no.such}');
        expect((await observe(id)).filter((p) => p.status === 'running')).toEqual([]);
      },
    );

    test('starts nothing for a deployment that was given up', async ({
      id,
      provider,
      clientDir,
      deploy,
      observe,
    }) => {
      const spec = smallCluster({ clusterId: id, clientDir });
      await deploy({ ...spec, processes: [] });
      const signal = AbortSignal.abort(new Error('given up'));
      const applied = convergeAll(provider, spec, { fence: 1, signal });
      await expect(applied).rejects.toThrow('given up');
      expect(await observe(id)).toEqual([]);
    });

    runs('leads to the JobManager', async ({ id, provider, clientDir, deploy, printed }) => {
      const script = `require('http').createServer((q, a) => a.end('hello')).listen(Number(process.env.FCTL_PORT_REST), process.env.FCTL_BIND, function () {
        console.log('listening', process.env.FCTL_ADDRESS + ':' + this.address().port, 'end'); })`;
      const spec = smallCluster({ clusterId: id, script, clientDir });
      await deploy(spec);
      const out = await printed(id, 'jobmanager-0', 'end');
      const address = /listening (\S+) end/.exec(out)![1]!;
      const document = {
        protocol: 1,
        rest: `http://${address}`,
        rpc: `ws://${address}/fctl/v1/rpc`,
        epoch: 1,
        // As a JobManager writes it: its name, and which start of it this is.
        jobmanager: { resourceId: 'jobmanager-0/3fa94c01', pid: 1 },
      };
      await provider.record(id).write(DocumentName.endpoint, document, null);
      const endpoint = await provider.connect(id, call);
      expect(endpoint).toMatchObject({ leader: 'jobmanager-0/3fa94c01', epoch: 1, token: secret });
      expect(await (await fetch(endpoint!.url)).text()).toBe('hello');
    });
  });

  describe(`${name}: ids`, () => {
    // Where nobody checks them these name folders of the test, and nothing beyond.
    const texts = ['', ' ', '.', '..', 'a/b', 'demo/', 'A', 'Demo', '-a', 'a', 'x'.repeat(41)];
    // As callers give them that are not checked by TypeScript.
    const badIds = texts as ClusterId[];
    test('do nothing for one that no cluster can have', async ({
      id,
      provider,
      clientDir,
      deploy,
      observe,
      clusters,
      destroy,
    }) => {
      const spec = smallCluster({ clusterId: id, clientDir });
      await deploy(spec);
      const action = actionOn(spec, 'jobmanager-0');
      const options: LogOptions = { stream: 'out', follow: false, tail: null, signal: never };
      const questions = (bad: ClusterId): (() => unknown)[] => [
        () => destroy(bad, null),
        () => provider.observe(bad, call),
        () => provider.secrets(bad, call),
        () => provider.connect(bad, call),
        () => converge(provider, { ...spec, clusterId: bad }, [action], locked),
        () => provider.preflight({ ...spec, clusterId: bad }, call),
        () => provider.logs(bad, 'jobmanager-0', options),
        () => provider.record(bad),
        () => provider.artifacts(bad),
        () => provider.watch(bad, call),
      ];
      for (const ask of badIds.flatMap(questions)) {
        const refused = await errorOf((async () => ask())());
        expect(refused.problems[0]!.code).toBe('invalid-cluster-id');
      }
      expect(await clusters()).toContain(id);
      expect(await observe(id)).toMatchObject([{ status: 'running' }]);
    });
  });

  describe(`${name}: again and again`, () => {
    test('V2: an action that is repeated leaves one process', async ({
      id,
      provider,
      clientDir,
      deploy,
      printed,
      observe,
      another,
    }) => {
      const spec = smallCluster({
        clusterId: id,
        script: programs.up,
        clientDir,
      });
      await deploy(spec);
      await printed(id, 'jobmanager-0', 'up');
      const again = await another();
      await convergeAll(again, spec, locked);
      const found = await observe(id);
      expect(found).toMatchObject([{ name: 'jobmanager-0', status: 'running' }]);
      const deletion = actionOn(spec, 'jobmanager-0', 'delete');
      await converge(again, spec, [deletion], locked);
      expect(await observe(id)).toEqual([]);
      await converge(provider, spec, [deletion], locked);
      expect(await observe(id)).toEqual([]);
    });

    test('replaces a process by one of another release', async ({
      id,
      provider,
      clientDir,
      deploy,
      observe,
    }) => {
      await deploy(smallCluster({ clusterId: id, clientDir }));
      const next = smallCluster({ clusterId: id, release: 'r2', clientDir });
      await converge(provider, next, [actionOn(next, 'jobmanager-0', 'replace')], locked);
      expect(await observe(id)).toMatchObject([{ release: 'r2', status: 'running' }]);
    });

    test('V2: a cluster is destroyed whole, also twice, and no other one', async ({
      id,
      otherId,
      provider,
      clientDir,
      deploy,
      observe,
      clusters,
      destroy,
    }) => {
      await deploy(smallCluster({ clusterId: id, taskManager: programs.idle, clientDir }));
      await deploy(smallCluster({ clusterId: otherId, clientDir }));
      expect(await destroy(id)).toEqual([]);
      expect(await clusters()).toContain(otherId);
      expect(await clusters()).not.toContain(id);
      expect(await provider.observe(id, call)).toBeNull();
      expect(await destroy(id)).toEqual([]);
      expect(await observe(otherId)).toMatchObject([{ status: 'running' }]);
    });

    test('ends a process that does not want to', async ({
      id,
      provider,
      clientDir,
      deploy,
      printed,
      destroy,
    }) => {
      const script = programs.deaf;
      await deploy(smallCluster({ clusterId: id, script, clientDir }));
      await printed(id, 'jobmanager-0', 'deaf');
      await destroy(id);
      expect(await provider.observe(id, call)).toBeNull();
    });

    test('says that it cannot bring another runtime, and not the one of fctl', async ({
      provider,
    }) => {
      const refused = await errorOf(
        provider.install({ kind: 'archive', artifact: 'a', layout: 'bin/flink' }, silently),
      );
      expect(refused.problems[0]!.code).toBe('runtime-not-supported');
    });

    test('installs once', async ({ id, provider, clientDir, another }) => {
      const spec = smallCluster({ clusterId: id, clientDir });
      await provider.install(spec.runtime, silently);
      const sent: unknown[] = [];
      const again = await another();
      await again.install(spec.runtime, { signal: never, onProgress: (part) => sent.push(part) });
      expect(sent).toEqual([]);
    });

    test('starts again what crashed, and not what ended', async ({
      eventually,
      id,
      place,
      clientDir,
      deploy,
      printed,
      read,
      observe,
    }) => {
      const script = programs.run;
      const spec = smallCluster({
        clusterId: id,
        script,
        taskManager: programs.done,
        clientDir,
      });
      await deploy(spec);
      await printed(id, 'jobmanager-0', 'run');
      await place.crash(id, 'jobmanager-0');
      const restarted = await eventually(async () => {
        const found = (await observe(id)).find((p) => p.role === 'jobmanager');
        return found?.restarts === 1 && found.status === 'running' ? found : null;
      });
      expect(restarted.exitCode).toBe(137);
      await eventually(async () => (await read(id, 'jobmanager-0')).split('run\n').length === 3);
      expect((await read(id, 'taskmanager-0')).split('done\n')).toHaveLength(2);
      const ended = (await observe(id)).find((p) => p.role === 'taskmanager');
      expect(ended).toMatchObject({ restarts: 0, exitCode: 0 });
      expect(['exited', 'lost']).toContain(ended!.status);
    });
  });

  describe(`${name}: record, lock and artifacts`, () => {
    test('keeps documents with compare-and-set', async ({
      id,
      provider,
      clientDir,
      another,
      clusters,
    }) => {
      const spec = smallCluster({ clusterId: id, clientDir });
      await provider.install(spec.runtime, silently);
      const store = provider.record(id);
      const other = (await another()).record(id);
      const written = await Promise.all([
        store.write('releases', { by: 'one' }, null),
        other.write('releases', { by: 'another' }, null),
      ]);
      expect(written.filter((version) => version !== null)).toHaveLength(1);
      const { ageMs, value, version } = await readDocument(other, 'releases');
      expect(value).toEqual({ by: written[0] === null ? 'another' : 'one' });
      expect(ageMs === null || ageMs >= 0).toBe(true);
      const next = await store.write('releases', { by: 'the next' }, version);
      expect(next).not.toBeNull();
      expect(next).not.toBe(version);
      expect(await other.write('releases', { by: 'too late' }, version)).toBeNull();
      expect(await readDocument(store, 'releases')).toMatchObject({
        version: next,
        value: { by: 'the next' },
      });
      expect(await clusters()).toContain(id);
    });

    test('who destroys a cluster is told when its record goes: after the processes, before the lock', async ({
      id,
      provider,
      clientDir,
      deploy,
      observe,
    }) => {
      await deploy(smallCluster({ clusterId: id, taskManager: programs.idle, clientDir }));
      const seen: unknown[] = [];
      await provider.destroy(id, {
        ...call,
        fence: 1,
        deleteState: false,
        onRecordGoes: async () => {
          const alive = (await observe(id)).filter(({ status }) => status === 'running');
          const { value } = await readDocument(provider.record(id), 'lock');
          seen.push(alive.length, value?.epoch);
        },
      });
      expect(seen).toEqual([0, 1]);
      expect(await provider.observe(id, call)).toBeNull();
    });

    test('V4: whoever lost the lock changes nothing any more', async ({
      id,
      provider,
      clientDir,
      deploy,
      observe,
      another,
      destroy,
    }) => {
      const spec = smallCluster({ clusterId: id, taskManager: programs.idle, clientDir });
      await deploy(spec);
      const before = await observe(id);
      const other = await another();
      const { version } = await readDocument(other.record(id), 'lock');
      expect(await other.record(id).write('lock', lock(2), version)).not.toBeNull();
      for (const process of processNames(spec)) {
        for (const kind of ['replace', 'delete'] as const) {
          const refused = await errorOf(
            converge(provider, spec, [actionOn(spec, process, kind)], locked),
          );
          expect(refused.exitCode).toBe(ExitCode.conflict);
          expect(refused.message).toContain('somebody@elsewhere/2');
        }
      }
      expect((await errorOf(destroy(id, 1))).exitCode).toBe(ExitCode.conflict);
      expect(await observe(id)).toEqual(before);
      await converge(other, spec, [actionOn(spec, 'taskmanager-0', 'delete')], {
        fence: 2,
        signal: never,
      });
      expect((await observe(id)).map((p) => p.name)).toEqual(['jobmanager-0']);
    });

    test('verifies what it ships, and what is there', async ({
      id,
      provider,
      place,
      clientDir,
      deploy,
      bundle,
      another,
    }) => {
      const spec = smallCluster({ clusterId: id, clientDir });
      await deploy(spec);
      const artifact = await bundle('export {}');
      const store = provider.artifacts(id);
      expect(await store.has(artifact.hash, call)).toBe(false);
      const sent: number[] = [];
      const options = {
        signal: never,
        onProgress: (part: { sentBytes: number }) => sent.push(part.sentBytes),
      };
      expect(await store.put(artifact, options)).toBe(artifact.sizeBytes);
      expect(sent.at(-1)).toBe(artifact.sizeBytes);
      expect(await (await another()).artifacts(id).has(artifact.hash, call)).toBe(true);
      await place.corrupt(id, artifact.hash);
      expect(await store.has(artifact.hash, call)).toBe(false);
      expect(await store.put(artifact, silently)).toBe(artifact.sizeBytes);
      expect(await store.has(artifact.hash, call)).toBe(true);
      await place.corrupt(id, artifact.hash);
      await writeFile(artifact.file, 'import {}');
      await errorOf(store.put(artifact, silently));
      expect(await store.has(artifact.hash, call)).toBe(false);
    });
  });

  describe(`${name}: what is there, told`, () => {
    test('secrets are told whether or not anybody leads', async ({
      another,
      clientDir,
      deploy,
      id,
      provider,
    }) => {
      expect(await provider.secrets(id, call)).toBeNull();
      await deploy(smallCluster({ clusterId: id, clientDir }));
      expect(await (await another()).secrets(id, call)).toMatchObject({ token: secret });
      expect(await provider.connect(id, call)).toBeNull();
    });

    test('artifacts are listed and removed, each alone', async ({
      bundle,
      clientDir,
      deploy,
      id,
      provider,
    }) => {
      await deploy(smallCluster({ clusterId: id, clientDir }));
      const store = provider.artifacts(id);
      const first = await bundle('export const first = 1;');
      await store.put(first, silently);
      const second = await bundle('export const second = 2;');
      await store.put(second, silently);
      expect(await store.list(call)).toEqual([first.hash, second.hash].sort());
      await store.remove(first.hash, call);
      await store.remove(first.hash, call);
      expect(await store.list(call)).toEqual([second.hash]);
      expect(await store.has(second.hash, call)).toBe(true);
    });

    test('who watches is told at once, and of each change', async ({
      clientDir,
      deploy,
      id,
      provider,
    }) => {
      const spec = smallCluster({ clusterId: id, clientDir });
      const seen: (string | null)[] = [];
      for await (const observed of provider.watch(id, call)) {
        const [process] = observed?.processes ?? [];
        const release = process?.status === 'running' ? process.release : null;
        if (seen.at(-1) === release) continue; // what a start looks like in between is the place's
        seen.push(release);
        if (seen.length === 1) await deploy(spec);
        else break;
      }
      expect(seen).toEqual([null, 'r1']);
    });

    test('V6: every call ends with its signal, and does nothing any more', async ({
      bundle,
      clientDir,
      deploy,
      id,
      observe,
      provider,
    }) => {
      const spec = smallCluster({ clusterId: id, clientDir });
      await deploy(spec);
      const before = await observe(id);
      const given = { signal: AbortSignal.abort(new Error('given up')), onProgress: () => {} };
      const artifact = await bundle('export {}');
      const store = provider.artifacts(id);
      const next = async () => {
        for await (const _seen of provider.watch(id, given)) return;
      };
      const asked = [
        () => provider.preflight(spec, given),
        () => provider.list(given),
        () => provider.observe(id, given),
        next,
        () => store.has(artifact.hash, given),
        () => store.put(artifact, given),
        () => store.list(given),
        () => store.remove(artifact.hash, given),
        () => provider.install(spec.runtime, given),
        () => convergeAll(provider, spec, { ...given, fence: 1 }),
        () => provider.secrets(id, given),
        () => provider.connect(id, given),
        () => provider.destroy(id, { ...given, fence: 1, deleteState: false }),
        () => provider.prune(given),
        () => provider.leftovers(given),
      ];
      for (const ask of asked) await expect(ask()).rejects.toThrow('given up');
      expect(await observe(id)).toEqual(before);
      expect(await store.list(call)).toEqual([]);
    });
  });

  describe(`${name}: logs and commands`, () => {
    test('reads and follows what a process prints', async ({
      id,
      provider,
      clientDir,
      deploy,
      printed,
      read,
      tell,
    }) => {
      const script = programs.talk;
      await deploy(smallCluster({ clusterId: id, script, clientDir }));
      // Where stdout and stderr go different ways, either may be the first to arrive.
      await printed(id, 'jobmanager-0', 'one');
      await printed(id, 'jobmanager-0', 'two');
      await tell('told');
      await printed(id, 'jobmanager-0', 'ready');
      const all = await read(id, 'jobmanager-0');
      expect(all.split('\n').filter((line) => /^(one|two|ready)$/.test(line))).toHaveLength(3);
      expect(await read(id, 'jobmanager-0', { tail: 1 })).toBe('ready\n');
      const stop = new AbortController();
      const options = { stream: 'out', follow: true, tail: 1, signal: stop.signal } as const;
      let seen = '';
      for await (const chunk of await provider.logs(id, 'jobmanager-0', options)) {
        seen += String(chunk);
        if (seen === 'ready\n') await tell('go');
        if (seen === 'ready\nthree\n') stop.abort();
      }
      expect(seen).toBe('ready\nthree\n');
    });

    test('says so where there are none', async ({ id, provider, clientDir, deploy }) => {
      await deploy(smallCluster({ clusterId: id, clientDir }));
      const options = { stream: 'out', follow: false, tail: null, signal: never } as const;
      const missing = await errorOf(provider.logs(id, 'taskmanager-7', options));
      expect(missing.exitCode).toBe(ExitCode.notFound);
    });

    executes(
      'runs commands where a process runs',
      async ({ id, provider, clientDir, deploy, run, scope }) => {
        await deploy(smallCluster({ clusterId: id, clientDir }));
        const script =
          'echo "$FCTL_PROCESS $FCTL_INDEX $FCTL_RELEASE $SCOPE"; echo problem >&2; cat; exit 3';
        const said = await run(id, ['sh', '-c', script], {
          stdin: Readable.from(['from here\n']),
        });
        expect(said).toEqual({
          code: 3,
          out: `jobmanager-0 0 r1 ${scope()}\nfrom here\n`,
          err: 'problem\n',
        });
        expect(await run(id, ['true'])).toEqual({ code: 0, out: '', err: '' });
        expect((await run(id, ['sh', '-c', 'kill -9 $$'])).code).toBe(137);
        const io = {
          stdin: null,
          stdout: new PassThrough(),
          stderr: new PassThrough(),
          signal: never,
        };
        const missing = await errorOf(provider.exec!(id, 'taskmanager-7', ['true'], io));
        expect(missing.exitCode).toBe(ExitCode.notFound);
      },
    );

    executes('carries many bytes both ways', async ({ id, clientDir, deploy, run }) => {
      await deploy(smallCluster({ clusterId: id, clientDir }));
      const block = Buffer.alloc(64 * 1024, 'abcdefg\n');
      const stdin = Readable.from(Array.from({ length: 48 }, () => block));
      const { code, out } = await run(id, ['cat'], { stdin });
      expect(code).toBe(0);
      expect(sha256(out)).toBe(sha256(Buffer.concat(Array.from({ length: 48 }, () => block))));
    });

    executes('ends a command that is given up', async ({ id, clientDir, deploy, run }) => {
      await deploy(smallCluster({ clusterId: id, clientDir }));
      const stop = new AbortController();
      const stdout = new PassThrough();
      const running = run(id, ['sh', '-c', 'echo up; exec sleep 600'], {
        stdout,
        signal: stop.signal,
      });
      await once(stdout, 'data');
      stop.abort(new Error('given up'));
      await expect(running).rejects.toThrow('given up');
    });
  });

  describe(`${name}: what is left`, () => {
    test('V3: leaves alone what is not ours', async ({
      id,
      provider,
      place,
      clientDir,
      deploy,
      observe,
      destroy,
      leftovers,
    }) => {
      const foreign = await place.foreigner(id);
      try {
        await deploy(smallCluster({ clusterId: id, clientDir }));
        for (const left of await leftovers()) await provider.remove(left, call);
        await provider.prune(call);
        expect(await observe(id)).toMatchObject([{ status: 'running' }]);
        await destroy(id);
        await provider.prune(call);
        expect(await foreign.isUntouched()).toBe(true);
      } finally {
        await foreign.remove();
      }
    });

    test('finds and removes a cluster whose record was never written', async ({
      id,
      provider,
      clientDir,
      another,
      leftovers,
    }) => {
      const spec = smallCluster({ clusterId: id, clientDir });
      await provider.install(spec.runtime, silently);
      await provider.record(id).write(DocumentName.lock, lock(1), null);
      await convergeAll(provider, spec, locked);
      const other = await another();
      const found = await leftovers(other);
      expect(found).toMatchObject([{ clusterId: id }]);
      for (const left of found) await other.remove(left, call);
      expect(await leftovers(other)).toEqual([]);
      expect(await provider.observe(id, call)).toBeNull();
    });
  });
}
