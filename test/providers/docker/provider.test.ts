/** The Docker provider beside its contract: what a fake engine can be brought to do. */
import { readDocument } from '../../../src/record/record.ts';
import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { demo } from '../../demo.ts';
import { DocumentName } from '../../../src/record/documents.ts';
import { ExitCode } from '../../../src/contract/exit-codes.ts';
import { ProcessExit } from '../../../src/contract/process-exit.ts';
import type { Provider } from '../../../src/providers/provider.ts';
import { convergeAll, secret, smallCluster } from '../../../src/providers/testing/small-cluster.ts';
import { eventually } from '../local/eventually.ts';
import { FakeEngine } from './fake-engine.ts';
import { freePort, openFake } from './fake-provider.ts';

const never = new AbortController().signal;
const call = { signal: never };
const patient = { timeout: 10_000 };
const spec = smallCluster({ clusterId: demo, clientDir: '/' });

let engine: FakeEngine;
let provider: Provider;
let port: number;
beforeEach(async () => {
  engine = await FakeEngine.start();
  engine.images.set('base:1', {});
  port = await freePort();
  provider = await openFake(engine, port);
});
afterEach(async () => {
  vi.useRealTimers();
  await provider.close();
  await engine.close();
});

const codes = async (of = provider) => (await of.preflight(spec, call)).map(({ code }) => code);
const create = () => convergeAll(provider, spec, { fence: 1, signal: never });

describe('preflight', () => {
  it('finds nothing wrong with an engine that has what is needed', async () => {
    expect(await codes()).toEqual([]);
    expect(engine.containers.size + engine.volumes.size + engine.builds).toBe(0);
  });

  it('refuses an engine that is too old, or of another platform', async () => {
    engine.version = { ...engine.version, ApiVersion: '1.40' };
    expect(await codes()).toEqual(['engine-too-old']);
    engine.version = { ...engine.version, ApiVersion: '1.41', Os: 'windows' };
    expect(await codes(await openFake(engine, port))).toEqual(['platform-not-supported']);
  });

  it('asks an engine that knows only newer versions in its oldest', async () => {
    engine.version = { ...engine.version, ApiVersion: '1.52', MinAPIVersion: '1.44' };
    await provider.list(call);
    expect(engine.asked.at(-1)).toMatch(/^\/v1\.44\//);
  });

  it('asks the registry for a base image that may be pulled, and gives its words', async () => {
    engine.images.clear();
    const pulling = await openFake(engine, port, { pull: 'missing' });
    const [problem] = await pulling.preflight(spec, call);
    expect(problem).toMatchObject({
      code: 'base-image-missing',
      message: expect.stringContaining('no registry has base:1'),
    });
    await pulling.close();
  });
});

describe('what a process printed', () => {
  const folder = `JSON.parse(fs.readFileSync(process.env.FCTL_PROCESS_DIR + '/config.json')).logs`;
  const script = `const fs = require('fs'); const file = ${folder} + '/jobmanager-0.out';
    fs.mkdirSync(${folder}, { recursive: true });
    fs.writeFileSync(file, 'user 1\\nuser 2\\n'); console.log('node'); setInterval(() => {}, 1000);`;
  const read = async (tail: number | null, sincePlaced = false) => {
    const options = { stream: 'out', follow: false, tail, sincePlaced, signal: never } as const;
    return text(await provider.logs(demo, 'jobmanager-0', options));
  };
  beforeEach(async () => {
    await convergeAll(provider, smallCluster({ clusterId: demo, clientDir: '/', script }), {
      fence: 1,
      signal: never,
    });
    await eventually(async () => (await read(null)).includes('node'));
  });

  it('is what user code printed into a file, and behind it what Node.js printed', async () => {
    expect(await read(null)).toBe('user 1\nuser 2\nnode\n');
    expect(await read(2)).toBe('user 2\nnode\n');
    // The file goes on from one placement to the next.
    expect(await read(null, true)).toBe('node\n');
  });

  it('is followed, wherever it comes from', async () => {
    const stop = new AbortController();
    const options = { stream: 'out', follow: true, tail: 1, signal: stop.signal } as const;
    const seen: string[] = [];
    for await (const chunk of await provider.logs(demo, 'jobmanager-0', options)) {
      seen.push(...String(chunk).trim().split('\n'));
      if (seen.length === 2) stop.abort();
    }
    expect(seen.toSorted()).toEqual(['node', 'user 2']);
  });
});

describe('a container of the name that is not ours', () => {
  it('is refused, and stays', async () => {
    const body = { Image: 'base:1', Cmd: ['sleep', '600'], HostConfig: {} };
    await post('/containers/create?name=fctl-demo-jobmanager-0', body);
    await provider.record(demo).write(DocumentName.lock, { epoch: 1 }, null);
    await expect(create()).rejects.toMatchObject({ exitCode: ExitCode.conflict });
    expect(engine.byName('fctl-demo-jobmanager-0')!.body.Cmd).toEqual(['sleep', '600']);
  });
});

describe('what is labelled with an id that no cluster can have', () => {
  it.each(['', '..', 'a/b', 'Demo'])('is of no cluster: %j', async (id) => {
    const Labels = { 'fctl.dev/cluster': id, 'fctl.dev/identity': 'i' };
    engine.volumes.set(`fctl-${id}`, { Name: `fctl-${id}`, Labels });
    const process = { ...Labels, 'fctl.dev/process': 'jobmanager-0' };
    const body = { Image: 'base:1', Cmd: ['true'], HostConfig: {}, Labels: process };
    await post('/containers/create?name=somebody-s', body);
    await provider.record(demo).write(DocumentName.lock, { epoch: 1 }, null);
    expect((await provider.list(call)).clusters).toEqual(['demo']);
    const leftovers = await provider.leftovers(call);
    expect(leftovers.filter(({ clusterId }) => clusterId !== demo)).toEqual([]);
  });
});

describe('a keeper', () => {
  it('is one for all who change a cluster at the same time', async () => {
    await provider.install({ kind: 'fctl' }, { onProgress: () => {}, signal: never });
    const record = provider.record(demo);
    const names = [DocumentName.lock, DocumentName.releases, DocumentName.audit] as const;
    await Promise.all(names.map((name) => record.write(name, { by: 'the test' }, null)));
    const created = engine.asked.filter((path) => path.includes('/containers/create'));
    expect(created).toHaveLength(1);
  });
});

describe('a look at a cluster', () => {
  const archives = () => engine.asked.filter((path) => path.includes('/archive'));

  it('is one look at the record, for the processes and for all documents', async () => {
    await create();
    await provider.record(demo).write(DocumentName.cluster, { protocol: 1 }, null);
    await provider.close();
    const other = await openFake(engine, port);
    const before = archives().length;
    vi.useFakeTimers({ toFake: ['performance'] });
    await other.observe(demo, call);
    const store = other.record(demo);
    expect((await readDocument(store, DocumentName.cluster)).value).toEqual({ protocol: 1 });
    expect((await readDocument(store, DocumentName.outcome)).value).toBe(null);
    expect(archives()).toHaveLength(before + 1);
    vi.advanceTimersByTime(1000);
    await readDocument(store, DocumentName.outcome);
    expect(archives()).toHaveLength(before + 2);
    await other.close();
  });
});

describe('a TaskManager that gives up its search for a JobManager', () => {
  it('is left at that by the engine, and is told apart from one whose cluster has ended', async () => {
    const givesUp = "process.exit(Number(process.env.FCTL_ORPHAN_EXIT ?? '69'))";
    const spec = smallCluster({ clusterId: demo, clientDir: '/', taskManager: givesUp });
    await convergeAll(provider, spec, { fence: 1, signal: never });
    const seen = async () => {
      const { processes } = (await provider.observe(demo, call))!;
      return processes.find(({ name }) => name === 'taskmanager-0')!;
    };
    const gaveUp = { status: 'lost', exitCode: ProcessExit.over, restarts: 0 };
    await expect.poll(seen, patient).toMatchObject(gaveUp);
    const release = { id: spec.release, afterEpoch: 0 };
    const record = provider.record(demo);
    await record.write(DocumentName.releases, { releases: [release] }, null);
    await record.write(DocumentName.outcome, { status: 'SUCCEEDED', epoch: 1 }, null);
    const ended = { status: 'exited', exitCode: ProcessExit.over };
    await expect.poll(seen, patient).toMatchObject(ended);
  });
});

describe('what a client leaves', () => {
  it('is nothing: its keeper ends with it, and no secret is in what the engine knows', async () => {
    await create();
    const helpers = () =>
      [...engine.containers.values()].filter(({ name }) => name.includes('helper'));
    expect(helpers()).toHaveLength(1);
    expect(JSON.stringify([...engine.containers.values()].map((c) => c.body))).not.toContain(
      secret,
    );
    await provider.close();
    await eventually(async () => helpers().length === 0);
  });

  it('is a helper that it never started, which counts as left over after a minute', async () => {
    await create();
    const Labels = { 'fctl.dev/cluster': 'demo', 'fctl.dev/helper': 'x', 'fctl.dev/identity': 'i' };
    const body = { Image: 'fctl-runtime:test', Cmd: ['true'], HostConfig: {}, Labels };
    await post('/containers/create?name=fctl-demo-helper-1', body);
    await provider.record(demo).write(DocumentName.cluster, { protocol: 1 }, null);
    expect(await provider.leftovers(call)).toEqual([]);
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 61_000 });
    const [orphan] = await provider.leftovers(call);
    expect(orphan).toMatchObject({ kind: 'process', what: 'container fctl-demo-helper-1' });
    await provider.remove(orphan!, call);
    expect(await provider.leftovers(call)).toEqual([]);
    expect(engine.byName('fctl-demo-helper-1')).toBeUndefined();
  });

  it('are images that nothing uses, which prune removes', async () => {
    await create();
    expect(await provider.prune(call)).toEqual([]);
    await provider.destroy(demo, { fence: null, deleteState: false, signal: never });
    // Whoever deploys now has looked for it a moment ago.
    expect(await provider.prune(call)).toEqual([]);
    engine.builtAt.set('fctl-runtime:test', Date.now() - 3_600_000);
    expect(await provider.prune(call)).toEqual(['image fctl-runtime:test']);
    expect([...engine.images.keys()]).toEqual(['base:1']);
  });

  it('are no images that a deployment is about to use, though they were pruned meanwhile', async () => {
    await create();
    await provider.destroy(demo, { fence: null, deleteState: false, signal: never });
    engine.images.delete('fctl-runtime:test');
    await create(); // by a client that has seen the image
    expect((await provider.observe(demo, call))!.processes).toMatchObject([{ status: 'running' }]);
  });
});

function post(path: string, body: object): Promise<void> {
  const { socketPath } = engine;
  const headers = { 'Content-Type': 'application/json' };
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath, method: 'POST', path, headers }, (response) =>
      response.resume().once('end', () => resolve()),
    );
    sent.once('error', reject).end(JSON.stringify(body));
  });
}
