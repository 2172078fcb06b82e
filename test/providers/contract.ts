/**
 * The provider contract (provider.ts, V1 to V5) as tests that every provider passes, with real processes:
 * scripts that stand for JobManager and TaskManager. A provider's own tests are beside this file.
 */
import { readDocument } from '../../src/record/record.ts';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DocumentName, type LockDocument } from '../../src/record/documents.ts';
import { FctlError } from '../../src/contract/errors.ts';
import { ExitCode } from '../../src/contract/exit-codes.ts';
import { sha256 } from '../../src/contract/hash.ts';
import type { Artifact, ClusterSpec } from '../../src/contract/process-spec.ts';
import type { ExecStreams, LogOptions, Provider } from '../../src/providers/provider.ts';
import {
  actionOn,
  converge,
  convergeAll,
  idle,
  processNames,
  secret,
  smallCluster,
} from './cluster-specs.ts';
import { eventually } from './local/eventually.ts';

export interface ProviderUnderTest {
  /** What one client uses. */
  readonly provider: Provider;
  /** Another client of the same place, which knows nothing of the first. Its `close` is up to the suite. */
  another(): Promise<Provider>;
  /** Changes the content of an artifact where it was shipped to. */
  corrupt(clusterId: string, hash: string): Promise<void>;
  /** Ends one process of the cluster as a crash would: SIGKILL, to it and not to whoever starts it again. */
  crash(clusterId: string, process: string): Promise<void>;
  /** Something that is there and not ours, and looks as if. */
  foreigner(): Promise<{ isUntouched(): Promise<boolean>; remove(): Promise<void> }>;
  /** Removes the place with everything in it. */
  close(): Promise<void>;
}

export interface SuiteOptions {
  /** How long things may take that are not waited for by the provider: `eventually` tries for 10 s. */
  readonly hookTimeoutMs?: number;
}

const never = new AbortController().signal;
const call = { signal: never };
const locked = { fence: 1, signal: never };
const silently = { onProgress: () => {}, signal: never };

/** The error that a call rejects with, which a user can mend (V5). */
async function errorOf(call: Promise<unknown>): Promise<FctlError> {
  const error = await call.then(
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

export function describeProvider(
  name: string,
  create: () => Promise<ProviderUnderTest>,
  { hookTimeoutMs = 30_000 }: SuiteOptions = {},
): void {
  let place: ProviderUnderTest;
  let provider: Provider;
  let clientDir: string;
  let others: Provider[];

  beforeEach(async () => {
    clientDir = await mkdtemp(join(tmpdir(), 'fctl-contract-'));
    place = await create();
    others = [];
    ({ provider } = place);
  }, hookTimeoutMs);
  afterEach(async () => {
    for (const id of await clusters()) await destroy(id, null);
    for (const other of others) await other.close();
    await provider.close();
    await place.close();
    await rm(clientDir, { recursive: true, force: true });
  }, hookTimeoutMs);

  const destroy = (id: string, fence: number | null = 1) =>
    provider.destroy(id, { fence, deleteState: false, signal: never });
  const clusters = async (by: Provider = provider) => (await by.list(call)).clusters;
  const scope = () => (provider.capabilities.commonFiles ? 'common' : 'separate');
  const another = async () => {
    const other = await place.another();
    others.push(other);
    return other;
  };

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
    id: string,
    process: string,
    change: Partial<LogOptions> = {},
  ): Promise<string> {
    const options: LogOptions = {
      stream: 'out',
      follow: false,
      tail: null,
      signal: never,
      ...change,
    };
    return text(await provider.logs(id, process, options));
  }

  /** What a process printed, once it holds `part`. */
  const printed = (id: string, process: string, part: string) =>
    eventually(async () => {
      const out = await read(id, process).catch(() => '');
      return out.includes(part) ? out : null;
    });

  const observe = async (id: string, by: Provider = provider) =>
    (await by.observe(id, call))?.processes ?? [];

  async function run(id: string, command: readonly string[], change: Partial<ExecStreams> = {}) {
    const stdout = new PassThrough();
    const stderr = new PassThrough();
    const said = Promise.all([text(stdout), text(stderr)]);
    const io = { stdin: null, stdout, stderr, signal: never, ...change };
    const code = await provider.exec!(id, 'jobmanager-0', command, io).finally(() =>
      [stdout, stderr].forEach((stream) => stream.end()),
    );
    const [out, err] = await said;
    return { code, out, err };
  }

  async function bundle(content: string): Promise<Artifact> {
    const file = join(clientDir, 'bundle.mjs');
    await writeFile(file, content);
    return { hash: sha256(content), name: 'bundle', sizeBytes: Buffer.byteLength(content), file };
  }

  describe(`${name}: starting and finding`, () => {
    it('knows nothing of what is not there', async () => {
      expect(await clusters()).toEqual([]);
      expect(await provider.observe('demo', call)).toBeNull();
      expect(await provider.connect('demo', call)).toBeNull();
      expect(await provider.leftovers(call)).toEqual([]);
      expect(await readDocument(provider.record('demo'), 'lock')).toMatchObject({
        version: null,
        value: null,
      });
      expect(await clusters()).toEqual([]);
    });

    it('V1: what one client started another one finds, as it was wanted', async () => {
      const spec = smallCluster({
        clusterId: 'demo',
        taskManager: idle,
        taskManagers: 2,
        clientDir,
      });
      await deploy(spec);
      const other = await another();
      expect(await clusters(other)).toEqual(['demo']);
      const processes = await observe('demo', other);
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

    it('tells a process its place: files, secrets, addresses, artifacts', async () => {
      const artifact = await bundle('the bundle');
      const script = `const fs = require('fs'); const path = process.env;
        const config = JSON.parse(fs.readFileSync(path.FCTL_CONFIG_FILE));
        console.log(path.FCTL_PROCESS, path.FCTL_INDEX, path.FCTL_RELEASE, path.SCOPE, fs.readFileSync(path.SECRET_FILE, 'utf8'), fs.existsSync(config.logs));
        console.log(fs.readFileSync(path.BUNDLE, 'utf8'), 'FCTL_PROCESS=' + path.FCTL_PROCESS, 'end'); ${idle}`;
      const spec = smallCluster({ clusterId: 'demo', script, artifacts: [artifact], clientDir });
      const [jobManager] = spec.processes;
      const environment = {
        ...jobManager!.environment,
        FCTL_CONFIG_FILE: '${process.dir}/config.json',
        BUNDLE: `\${artifact.${artifact.hash}}`,
      };
      await deploy({ ...spec, processes: [{ ...jobManager!, environment }] });
      const out = await printed('demo', 'jobmanager-0', 'end');
      expect(out).toContain(`jobmanager-0 0 r1 ${scope()} ${secret} true`);
      expect(out).toContain('the bundle FCTL_PROCESS=jobmanager-0 end');
    });

    it('gives all processes of a role the same files, and tells each apart by its environment', async () => {
      const taskManager = `const { FCTL_INDEX, FCTL_PROCESS, FCTL_PROCESS_DIR, FCTL_RECORD, FCTL_WORK_DIR } = process.env;
        const file = require('fs').readFileSync(FCTL_PROCESS_DIR + '/role.conf', 'utf8');
        console.log(JSON.stringify([FCTL_PROCESS, FCTL_INDEX, file, FCTL_WORK_DIR, FCTL_RECORD]), 'end'); ${idle}`;
      const spec = smallCluster({ clusterId: 'demo', taskManager, taskManagers: 2, clientDir });
      const content = 'files: ${storage.scope}\nliteral: $${storage.scope}\n';
      const files = [{ type: 'inline', path: 'role.conf', content } as const];
      await deploy({ ...spec, processes: spec.processes.map((role) => ({ ...role, files })) });
      const folders = new Set<string>();
      for (const index of [0, 1]) {
        const out = await printed('demo', `taskmanager-${index}`, 'end');
        const [process, at, file, work, record] = JSON.parse(out.split(' end')[0]!) as string[];
        expect([process, at]).toEqual([`taskmanager-${index}`, String(index)]);
        expect(file).toBe(`files: ${scope()}\nliteral: \${storage.scope}\n`);
        expect(record).toMatch(/^(file|http):/);
        folders.add(work!);
      }
      expect(folders.size).toBe(2);
    });

    it('starts nothing from a spec that it does not understand', async () => {
      const spec = smallCluster({ clusterId: 'demo', clientDir });
      const command = ['${runtime.node}', '${no.such}'];
      const broken = { ...spec, processes: [{ ...spec.processes[0]!, command }] };
      await expect(deploy(broken)).rejects.toThrow('${no.such}');
      expect((await observe('demo')).filter((p) => p.status === 'running')).toEqual([]);
    });

    it('starts nothing for a deployment that was given up', async () => {
      const spec = smallCluster({ clusterId: 'demo', clientDir });
      await deploy({ ...spec, processes: [] });
      const signal = AbortSignal.abort(new Error('given up'));
      const applied = convergeAll(provider, spec, { fence: 1, signal });
      await expect(applied).rejects.toThrow('given up');
      expect(await observe('demo')).toEqual([]);
    });

    it('leads to the JobManager', async () => {
      const script = `require('http').createServer((q, a) => a.end('hello')).listen(Number(process.env.FCTL_PORT_REST), process.env.FCTL_BIND, function () {
        console.log('listening', process.env.FCTL_ADDRESS + ':' + this.address().port, 'end'); })`;
      const spec = smallCluster({ clusterId: 'demo', script, clientDir });
      await deploy(spec);
      const out = await printed('demo', 'jobmanager-0', 'end');
      const address = /listening (\S+) end/.exec(out)![1]!;
      const document = {
        protocol: 1,
        rest: `http://${address}`,
        rpc: `ws://${address}/fctl/v1/rpc`,
        epoch: 1,
        jobmanager: { resourceId: 'jobmanager-0', pid: 1 },
      };
      await provider.record('demo').write(DocumentName.endpoint, document, null);
      const endpoint = await provider.connect('demo', call);
      expect(endpoint).toMatchObject({ leader: 'jobmanager-0', epoch: 1, token: secret });
      expect(await (await fetch(endpoint!.url)).text()).toBe('hello');
    });
  });

  describe(`${name}: ids`, () => {
    // Where nobody checks them these name folders of the test, and nothing beyond.
    const bad = ['', ' ', '.', '..', 'a/b', 'demo/', 'A', 'Demo', '-a', 'a', 'x'.repeat(41)];
    it('do nothing for one that no cluster can have', async () => {
      const spec = smallCluster({ clusterId: 'demo', clientDir });
      await deploy(spec);
      const action = actionOn(spec, 'jobmanager-0');
      const options: LogOptions = { stream: 'out', follow: false, tail: null, signal: never };
      const questions = (id: string): (() => unknown)[] => [
        () => destroy(id, null),
        () => provider.observe(id, call),
        () => provider.secrets(id, call),
        () => provider.connect(id, call),
        () => converge(provider, { ...spec, clusterId: id }, [action], locked),
        () => provider.preflight({ ...spec, clusterId: id }, call),
        () => provider.logs(id, 'jobmanager-0', options),
        () => provider.record(id),
        () => provider.artifacts(id),
        () => provider.watch(id, call),
      ];
      for (const ask of bad.flatMap(questions)) {
        const refused = await errorOf((async () => ask())());
        expect(refused.problems[0]!.code).toBe('invalid-cluster-id');
      }
      expect(await clusters()).toEqual(['demo']);
      expect(await observe('demo')).toMatchObject([{ status: 'running' }]);
    });
  });

  describe(`${name}: again and again`, () => {
    it('V2: an action that is repeated leaves one process', async () => {
      const spec = smallCluster({
        clusterId: 'demo',
        script: `console.log('up'); ${idle}`,
        clientDir,
      });
      await deploy(spec);
      await printed('demo', 'jobmanager-0', 'up');
      const again = await another();
      await convergeAll(again, spec, locked);
      const found = await observe('demo');
      expect(found).toMatchObject([{ name: 'jobmanager-0', status: 'running' }]);
      const deletion = actionOn(spec, 'jobmanager-0', 'delete');
      await converge(again, spec, [deletion], locked);
      expect(await observe('demo')).toEqual([]);
      await converge(provider, spec, [deletion], locked);
      expect(await observe('demo')).toEqual([]);
    });

    it('replaces a process by one of another release', async () => {
      await deploy(smallCluster({ clusterId: 'demo', clientDir }));
      const next = smallCluster({ clusterId: 'demo', release: 'r2', clientDir });
      await converge(provider, next, [actionOn(next, 'jobmanager-0', 'replace')], locked);
      expect(await observe('demo')).toMatchObject([{ release: 'r2', status: 'running' }]);
    });

    it('V2: a cluster is destroyed whole, also twice, and no other one', async () => {
      await deploy(smallCluster({ clusterId: 'demo', taskManager: idle, clientDir }));
      await deploy(smallCluster({ clusterId: 'other', clientDir }));
      expect(await destroy('demo')).toEqual([]);
      expect(await clusters()).toEqual(['other']);
      expect(await provider.observe('demo', call)).toBeNull();
      expect(await destroy('demo')).toEqual([]);
      expect(await observe('other')).toMatchObject([{ status: 'running' }]);
    });

    it('ends a process that does not want to', async () => {
      const script = `process.on('SIGTERM', () => {}); console.log('deaf'); ${idle}`;
      await deploy(smallCluster({ clusterId: 'demo', script, clientDir }));
      await printed('demo', 'jobmanager-0', 'deaf');
      await destroy('demo');
      expect(await provider.observe('demo', call)).toBeNull();
    });

    it('says that it cannot bring another runtime, and not the one of fctl', async () => {
      const refused = await errorOf(
        provider.install({ kind: 'archive', artifact: 'a', layout: 'bin/flink' }, silently),
      );
      expect(refused.problems[0]!.code).toBe('runtime-not-supported');
    });

    it('installs once', async () => {
      const spec = smallCluster({ clusterId: 'demo', clientDir });
      await provider.install(spec.runtime, silently);
      const sent: unknown[] = [];
      const again = await another();
      await again.install(spec.runtime, { signal: never, onProgress: (part) => sent.push(part) });
      expect(sent).toEqual([]);
    });

    it('starts again what crashed, and not what ended', async () => {
      const script = `console.log('run'); ${idle}`;
      const spec = smallCluster({
        clusterId: 'demo',
        script,
        taskManager: `console.log('done'); process.exitCode = 0`,
        clientDir,
      });
      await deploy(spec);
      await printed('demo', 'jobmanager-0', 'run');
      await place.crash('demo', 'jobmanager-0');
      const restarted = await eventually(async () => {
        const found = (await observe('demo')).find((p) => p.role === 'jobmanager');
        return found?.restarts === 1 && found.status === 'running' ? found : null;
      });
      expect(restarted.exitCode).toBe(137);
      await eventually(
        async () => (await read('demo', 'jobmanager-0')).split('run\n').length === 3,
      );
      expect((await read('demo', 'taskmanager-0')).split('done\n')).toHaveLength(2);
      const ended = (await observe('demo')).find((p) => p.role === 'taskmanager');
      expect(ended).toMatchObject({ restarts: 0, exitCode: 0 });
      expect(['exited', 'lost']).toContain(ended!.status);
    });
  });

  describe(`${name}: record, lock and artifacts`, () => {
    it('keeps documents with compare-and-set', async () => {
      const spec = smallCluster({ clusterId: 'demo', clientDir });
      await provider.install(spec.runtime, silently);
      const store = provider.record('demo');
      const other = (await another()).record('demo');
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
      expect(await clusters()).toEqual(['demo']);
    });

    it('V4: whoever lost the lock changes nothing any more', async () => {
      const spec = smallCluster({ clusterId: 'demo', taskManager: idle, clientDir });
      await deploy(spec);
      const before = await observe('demo');
      const other = await another();
      const { version } = await readDocument(other.record('demo'), 'lock');
      expect(await other.record('demo').write('lock', lock(2), version)).not.toBeNull();
      for (const process of processNames(spec)) {
        for (const kind of ['replace', 'delete'] as const) {
          const refused = await errorOf(
            converge(provider, spec, [actionOn(spec, process, kind)], locked),
          );
          expect(refused.exitCode).toBe(ExitCode.conflict);
          expect(refused.message).toContain('somebody@elsewhere/2');
        }
      }
      expect((await errorOf(destroy('demo', 1))).exitCode).toBe(ExitCode.conflict);
      expect(await observe('demo')).toEqual(before);
      await converge(other, spec, [actionOn(spec, 'taskmanager-0', 'delete')], {
        fence: 2,
        signal: never,
      });
      expect((await observe('demo')).map((p) => p.name)).toEqual(['jobmanager-0']);
    });

    it('verifies what it ships, and what is there', async () => {
      const spec = smallCluster({ clusterId: 'demo', clientDir });
      await deploy(spec);
      const artifact = await bundle('export {}');
      const store = provider.artifacts('demo');
      expect(await store.has(artifact.hash, call)).toBe(false);
      const sent: number[] = [];
      const options = {
        signal: never,
        onProgress: (part: { sentBytes: number }) => sent.push(part.sentBytes),
      };
      expect(await store.put(artifact, options)).toBe(artifact.sizeBytes);
      expect(sent.at(-1)).toBe(artifact.sizeBytes);
      expect(await (await another()).artifacts('demo').has(artifact.hash, call)).toBe(true);
      await place.corrupt('demo', artifact.hash);
      expect(await store.has(artifact.hash, call)).toBe(false);
      expect(await store.put(artifact, silently)).toBe(artifact.sizeBytes);
      expect(await store.has(artifact.hash, call)).toBe(true);
      await place.corrupt('demo', artifact.hash);
      await writeFile(artifact.file, 'import {}');
      await errorOf(store.put(artifact, silently));
      expect(await store.has(artifact.hash, call)).toBe(false);
    });
  });

  describe(`${name}: logs and commands`, () => {
    it('reads and follows what a process prints', async () => {
      const script = `console.log('one'); console.error('two'); ${idle};
        const after = (file, text) => { const wait = setInterval(() => {
          if (!require('fs').existsSync(process.env.FCTL_WORK_DIR + '/' + file)) return;
          clearInterval(wait); console.log(text); }, 10); };
        after('told', 'ready'); after('go', 'three');`;
      await deploy(smallCluster({ clusterId: 'demo', script, clientDir }));
      // Where stdout and stderr go different ways, either may be the first to arrive.
      await printed('demo', 'jobmanager-0', 'one');
      await printed('demo', 'jobmanager-0', 'two');
      await run('demo', ['sh', '-c', '> "$FCTL_WORK_DIR/told"']);
      await printed('demo', 'jobmanager-0', 'ready');
      const all = await read('demo', 'jobmanager-0');
      expect(all.split('\n').filter((line) => /^(one|two|ready)$/.test(line))).toHaveLength(3);
      expect(await read('demo', 'jobmanager-0', { tail: 1 })).toBe('ready\n');
      const stop = new AbortController();
      const options = { stream: 'out', follow: true, tail: 1, signal: stop.signal } as const;
      let seen = '';
      for await (const chunk of await provider.logs('demo', 'jobmanager-0', options)) {
        seen += String(chunk);
        if (seen === 'ready\n') await run('demo', ['sh', '-c', '> "$FCTL_WORK_DIR/go"']);
        if (seen === 'ready\nthree\n') stop.abort();
      }
      expect(seen).toBe('ready\nthree\n');
    });

    it('says so where there are none', async () => {
      await deploy(smallCluster({ clusterId: 'demo', clientDir }));
      const options = { stream: 'out', follow: false, tail: null, signal: never } as const;
      const missing = await errorOf(provider.logs('demo', 'taskmanager-7', options));
      expect(missing.exitCode).toBe(ExitCode.notFound);
    });

    it('runs commands where a process runs', async () => {
      await deploy(smallCluster({ clusterId: 'demo', clientDir }));
      const script =
        'echo "$FCTL_PROCESS $FCTL_INDEX $FCTL_RELEASE $SCOPE"; echo problem >&2; cat; exit 3';
      const said = await run('demo', ['sh', '-c', script], {
        stdin: Readable.from(['from here\n']),
      });
      expect(said).toEqual({
        code: 3,
        out: `jobmanager-0 0 r1 ${scope()}\nfrom here\n`,
        err: 'problem\n',
      });
      expect(await run('demo', ['true'])).toEqual({ code: 0, out: '', err: '' });
      expect((await run('demo', ['sh', '-c', 'kill -9 $$'])).code).toBe(137);
      const io = {
        stdin: null,
        stdout: new PassThrough(),
        stderr: new PassThrough(),
        signal: never,
      };
      const missing = await errorOf(provider.exec!('demo', 'taskmanager-7', ['true'], io));
      expect(missing.exitCode).toBe(ExitCode.notFound);
    });

    it('carries many bytes both ways', async () => {
      await deploy(smallCluster({ clusterId: 'demo', clientDir }));
      const block = Buffer.alloc(64 * 1024, 'abcdefg\n');
      const stdin = Readable.from(Array.from({ length: 48 }, () => block));
      const { code, out } = await run('demo', ['cat'], { stdin });
      expect(code).toBe(0);
      expect(sha256(out)).toBe(sha256(Buffer.concat(Array.from({ length: 48 }, () => block))));
    });

    it('ends a command that is given up', async () => {
      await deploy(smallCluster({ clusterId: 'demo', clientDir }));
      const stop = new AbortController();
      const stdout = new PassThrough();
      const running = run('demo', ['sh', '-c', 'echo up; exec sleep 600'], {
        stdout,
        signal: stop.signal,
      });
      await once(stdout, 'data');
      stop.abort(new Error('given up'));
      await expect(running).rejects.toThrow('given up');
    });
  });

  describe(`${name}: what is left`, () => {
    it('V3: leaves alone what is not ours', async () => {
      const foreign = await place.foreigner();
      try {
        await deploy(smallCluster({ clusterId: 'demo', clientDir }));
        for (const orphan of await provider.leftovers(call)) await provider.remove(orphan, call);
        await provider.prune(call);
        expect(await observe('demo')).toMatchObject([{ status: 'running' }]);
        await destroy('demo');
        await provider.prune(call);
        expect(await foreign.isUntouched()).toBe(true);
      } finally {
        await foreign.remove();
      }
    });

    it('finds and removes a cluster whose record was never written', async () => {
      const spec = smallCluster({ clusterId: 'demo', clientDir });
      await provider.install(spec.runtime, silently);
      await provider.record('demo').write(DocumentName.lock, lock(1), null);
      await convergeAll(provider, spec, locked);
      const other = await another();
      const orphans = await other.leftovers(call);
      expect(orphans).toMatchObject([{ clusterId: 'demo' }]);
      for (const orphan of orphans) await other.remove(orphan, call);
      expect(await other.leftovers(call)).toEqual([]);
      expect(await provider.observe('demo', call)).toBeNull();
    });
  });
}
