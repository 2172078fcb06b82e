/** What only the standalone provider has: ways in, bad hosts, uploads, connections that break, moves. */
import { readDocument } from '../../../src/record/record.ts';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { appendFile, mkdir, readFile, readdir, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { demo } from '../../demo.ts';
import { DocumentName, type LockDocument } from '../../../src/record/documents.ts';
import { FctlError } from '../../../src/contract/errors.ts';
import type { ResolvedStandalone } from '../../../src/config/providers/standalone.ts';
import type { Provider, TransferProgress } from '../../../src/providers/provider.ts';
import {
  actionOn,
  converge,
  convergeAll,
  idle,
  processNames,
  smallCluster,
} from '../../../src/providers/testing/small-cluster.ts';
import { type TracedCommand, onCommand } from '../../../src/contract/trace.ts';
import { Place, type PlaceOptions } from './place.ts';
import { makeKey } from './ssh-server.ts';

const never = new AbortController().signal;
const call = { signal: never };
const silently = { onProgress: () => {}, signal: never };
const spec = smallCluster({
  clusterId: demo,
  taskManager: idle,
  taskManagers: 2,
  clientDir: tmpdir(),
});

const clusters = async (provider: Provider) => (await provider.list(call)).clusters;
let place: Place;
let providers: Provider[] = [];
afterEach(async () => {
  for (const provider of providers) {
    for (const id of await clusters(provider).catch(() => []))
      await provider
        .destroy(id, { fence: null, deleteState: false, signal: never })
        .catch(() => []);
    await provider.close();
  }
  providers = [];
  await place.close();
});

async function start(options: PlaceOptions = {}): Promise<Provider> {
  place = await Place.start(options);
  return open();
}
async function open(change: Partial<ResolvedStandalone> = {}): Promise<Provider> {
  const provider = await place.open(change);
  providers.push(provider);
  return provider;
}
const problemsOf = async (provider: Provider) =>
  (await provider.preflight(spec, call)).map(({ code, message, path }) => ({
    code,
    message,
    path,
  }));

const lock: LockDocument = {
  holder: 'me@here/1',
  machine: 'here',
  message: 'testing',
  epoch: 1,
  acquiredAt: 0,
  termMs: 60_000,
  released: false,
};

async function deploy(provider: Provider, fence = 1): Promise<void> {
  await provider.install(spec.runtime, silently);
  const store = provider.record(demo);
  const { version } = await readDocument(store, DocumentName.lock);
  await store.write(DocumentName.lock, { ...lock, epoch: fence }, version);
  await convergeAll(provider, spec, { fence, signal: never });
}
const placesOf = async (provider: Provider) =>
  Object.fromEntries(
    (await provider.observe(demo, call))!.processes.map((p) => [p.name, `${p.host} ${p.status}`]),
  );

it('tells whoever listens which commands it runs on hosts, and how they end', async () => {
  const told: TracedCommand[] = [];
  onCommand((command) => told.push(command));
  const provider = await start();
  await clusters(provider);
  expect(told.length).toBeGreaterThan(0);
  expect(await told[0]!.ended).toBe(66); // no agent is there yet
  expect(told[0]!.where).toContain('127.0.0.1');
});

describe('ways in', () => {
  it('by a key that needs a passphrase, which is asked for once', async () => {
    const locked = makeKey('open sesame');
    const asked: string[] = [];
    const provider = await start({
      hosts: [{ authorized: [locked.public] }, { authorized: [locked.public] }],
      askSecret: async (question) => {
        asked.push(question);
        return 'open sesame';
      },
    });
    await writeFile(join(place.folder, 'key'), locked.private);
    expect((await provider.list(call)).clusters).toEqual([]);
    expect(asked).toEqual([`Passphrase of ${join(place.folder, 'key')}`]);
  });

  it('that nobody waits for any more: a question is withdrawn', async () => {
    const locked = makeKey('open sesame');
    const asked = Promise.withResolvers<AbortSignal>();
    const provider = await start({
      hosts: [{ authorized: [locked.public] }],
      askSecret: (_question, signal) => {
        asked.resolve(signal);
        return once(signal, 'abort').then(() => signal.throwIfAborted()) as Promise<never>;
      },
    });
    await writeFile(join(place.folder, 'key'), locked.private);
    provider.warmUp!();
    const question = await asked.promise;
    await provider.close();
    expect(question.aborted).toBe(true);
    expect(place.hosts[0]!.commands).toEqual([]);
  });

  it('by a password', async () => {
    const provider = await start({
      hosts: [{ authorized: [], password: 'secret' }],
      config: (given) => ({ ...given, password: 'secret' }),
    });
    expect((await provider.list(call)).clusters).toEqual([]);
  });

  it('by a password that the server asks for by a question', async () => {
    const provider = await start({
      hosts: [{ authorized: [], password: 'secret', asksQuestions: true }],
      config: (given) => ({ ...given, password: 'secret' }),
    });
    expect((await provider.list(call)).clusters).toEqual([]);
    await expect((await open({ password: 'wrong' })).list(call)).rejects.toMatchObject({
      problems: [{ code: 'login-refused' }],
    });
  });

  it('through another host', async () => {
    const provider = await start({
      hosts: [{}, {}],
      config: (given, [first]) => ({
        ...given,
        hosts: [{ ...given.hosts[1]!, jump: `fctl@127.0.0.1:${first!.port}` }],
      }),
    });
    expect((await provider.list(call)).clusters).toEqual([]);
    expect(place.hosts[0]!.commands).toEqual([]);
    expect(place.hosts[1]!.commands).toHaveLength(1);
  });

  it('tells a password to the host that it is for, and to none on the way', async () => {
    const asked: string[] = [];
    const provider = await start({
      hosts: [
        { authorized: [], password: 'of the gate' },
        { authorized: [], password: 'secret' },
      ],
      config: (given, [first]) => ({
        ...given,
        password: 'secret',
        hosts: [{ ...given.hosts[1]!, jump: `fctl@127.0.0.1:${first!.port}` }],
      }),
      askSecret: async (question) => {
        asked.push(question);
        return 'of the gate';
      },
    });
    expect((await provider.list(call)).clusters).toEqual([]);
    expect(place.hosts[0]!.passwords).toEqual(['of the gate']);
    expect(place.hosts[1]!.passwords).toEqual(['secret']);
    expect(asked).toEqual(['Password of fctl at 127.0.0.1']);
  });

  it('answers a question for a password by it, and asks for whatever else is asked', async () => {
    const asked: string[] = [];
    const provider = await start({
      hosts: [{ authorized: [], password: 'secret', asksQuestions: true, code: '123456' }],
      config: (given) => ({ ...given, password: 'secret' }),
      askSecret: async (question) => {
        asked.push(question);
        return '123456';
      },
    });
    expect((await provider.list(call)).clusters).toEqual([]);
    const [host] = place.hosts;
    expect(host).toMatchObject({ passwords: ['secret'], codes: ['123456'] });
    expect(asked).toEqual(['Verification code (asked by 127.0.0.1)']);
  });

  it('tells nobody the password in place of a code, and says what was asked', async () => {
    const provider = await start({
      hosts: [{ authorized: [], password: 'secret', asksQuestions: true, code: '123456' }],
      config: (given) => ({ ...given, password: 'secret' }),
    });
    await expect(provider.list(call)).rejects.toThrow("asks 'Verification code'");
    expect(place.hosts[0]!.codes).not.toContain('secret');
  });

  it('by the ProxyCommand of ~/.ssh/config', async () => {
    const provider = await start();
    const relay = join(place.folder, 'relay.cjs');
    const used = join(place.folder, 'used');
    await writeFile(
      relay,
      `const [host, port, user] = process.argv.slice(2);
       require('fs').appendFileSync('${used}', host + ':' + port + ' ' + user + '\\n');
       const socket = require('net').connect(Number(port), host);
       process.stdin.pipe(socket).pipe(process.stdout);`,
    );
    await mkdir(join(place.folder, 'home', '.ssh'), { recursive: true });
    const command = `ProxyCommand ${process.execPath} ${relay} %h %p %r`;
    await writeFile(join(place.folder, 'home', '.ssh', 'config'), `Host 127.0.0.1\n  ${command}\n`);
    expect((await provider.list(call)).clusters).toEqual([]);
    await deploy(provider);
    expect(await placesOf(provider)).toMatchObject({ 'jobmanager-0': '127.0.0.1 running' });
    const [host] = place.hosts;
    expect(await readFile(used, 'utf8')).toMatch(`127.0.0.1:${host!.port} fctl\n`);
  });

  it('says what a ProxyCommand said that leads nowhere', async () => {
    const provider = await start();
    await mkdir(join(place.folder, 'home', '.ssh'), { recursive: true });
    await writeFile(
      join(place.folder, 'home', '.ssh', 'config'),
      `Host 127.0.0.1\n  ProxyCommand sh -c "echo 'gate is closed' >&2; exit 3"\n`,
    );
    await expect(provider.list(call)).rejects.toThrow(/ProxyCommand .*gate is closed/);
  });

  it('to a host whose shell greets everybody on stdout', async () => {
    const greeting = 'system=web-7\nWelcome, be nice: 42\n';
    const provider = await start({ hosts: [{ greeting }] });
    expect((await provider.list(call)).clusters).toEqual([]);
    expect(await problemsOf(provider)).toEqual([]);
    await deploy(provider);
    expect(await placesOf(provider)).toMatchObject({ 'jobmanager-0': '127.0.0.1 running' });
    expect((await (await open()).list(call)).clusters).toEqual(['demo']);
  });

  it('to a host that only greets, and says what it greets with', async () => {
    const provider = await start();
    const [host] = place.hosts;
    host!.path = join(place.folder, 'bin');
    await mkdir(host!.path);
    await writeFile(join(host!.path, 'sh'), '#!/bin/sh\necho This account is closed.\n', {
      mode: 0o755,
    });
    await expect(provider.install(spec.runtime, silently)).rejects.toThrow(
      'This account is closed.',
    );
  });

  it('to a host that allows two sessions only', async () => {
    const provider = await start({ hosts: [{ sessions: 2 }] });
    await provider.install(spec.runtime, silently);
    const found = await Promise.all([
      ...Array.from({ length: 6 }, () => clusters(provider)),
      problemsOf(provider),
    ]);
    expect(found.flat()).toEqual([]);
  });
});

describe('a runtime', () => {
  it('that is there is touched by whoever is about to use it, so that nobody prunes it', async () => {
    const provider = await start();
    await provider.install(spec.runtime, silently);
    const runtime = join(place.dirOn(place.hosts[0]!), 'runtimes', place.archive.hash);
    await utimes(runtime, 0, 0);
    await (await open()).install(spec.runtime, silently);
    expect((await stat(runtime)).mtimeMs).toBeGreaterThan(0);
    expect(await provider.prune(call)).toEqual([]);
  });
});

describe('preflight', () => {
  it('finds everything that is wrong, of all hosts, in one run', async () => {
    const changed = makeKey();
    const provider = await start({
      hosts: [{}, { authorized: [makeKey().public] }, {}, {}, {}, {}],
    });
    const [, , third, fourth, fifth, sixth] = place.hosts;
    const known = await readFile(place.config.knownHosts, 'utf8');
    const lines = known.split('\n');
    const shown = changed.public.split(' ').slice(0, 2).join(' ');
    lines[2] = `[127.0.0.3]:${third!.port} ${shown}`;
    await writeFile(place.config.knownHosts, lines.filter((_, at) => at !== 3).join('\n'));
    await fifth!.stop();
    const standIns = join(sixth!.home, 'bin');
    await mkdir(standIns);
    for (const [name, says] of [
      ['uname', 'case $1 in -s) echo Linux ;; *) echo riscv64 ;; esac'],
      ['date', 'echo 1000000000.5'],
    ])
      await writeFile(join(standIns, name!), `#!/bin/sh\n${says}\n`, { mode: 0o755 });
    const { commands } = sixth!;
    sixth!.path = standIns;
    expect(await problemsOf(provider)).toEqual([
      {
        code: 'login-refused',
        path: '/providers/standalone/hosts/1',
        message: expect.stringMatching(/^127\.0\.0\.2:\d+ does not let fctl in: tried the key /),
      },
      {
        code: 'host-key-changed',
        path: '/providers/standalone/hosts/2',
        message: expect.stringContaining('shows another ssh-ed25519 key'),
      },
      {
        code: 'host-key-unknown',
        path: '/providers/standalone/hosts/3',
        message: expect.stringContaining(`[127.0.0.4]:${fourth!.port}`),
      },
      {
        code: 'host-unreachable',
        path: '/providers/standalone/hosts/4',
        message: expect.stringContaining('the connection is refused'),
      },
      {
        code: 'other-architecture',
        path: '/providers/standalone/hosts/5',
        message: '127.0.0.6: it is a riscv64',
      },
      {
        code: 'clock-off',
        path: '/providers/standalone/hosts/5',
        message: expect.stringContaining('behind'),
      },
    ]);
    expect(commands.length).toBeGreaterThan(0);
    for (const host of place.hosts.filter((each) => each !== fifth && each !== sixth))
      expect(await readdir(host.home)).toEqual([]);
  });

  it('names the line of a changed key, and takes a new one only where that is wanted', async () => {
    const provider = await start();
    const [host] = place.hosts;
    const file = place.config.knownHosts;
    await writeFile(
      file,
      `# mine\n${host!.knownHosts.replace(/ AAAA.*/, ` ${blobOf(makeKey())}`)}`,
    );
    const [found] = await provider.preflight(spec, call);
    expect(found).toMatchObject({ code: 'host-key-changed', file, line: 2 });
    const accepting = await open({ hostKeys: 'accept-new' });
    expect(await problemsOf(accepting)).toMatchObject([{ code: 'host-key-changed' }]);
    await writeFile(file, '# mine, without a line end');
    expect(await problemsOf(await open({ hostKeys: 'accept-new' }))).toEqual([]);
    expect(await readFile(file, 'utf8')).toBe(`# mine, without a line end\n${host!.knownHosts}`);
    expect(await problemsOf(await open())).toEqual([]);
  });

  it('asks for the type of key that is known', async () => {
    const [ed, ec] = [makeKey(), makeKey(undefined, 'ecdsa')];
    const provider = await start({ hosts: [{ hostKeys: [ed, ec] }] });
    const [host] = place.hosts;
    const known = host!.knownHosts.split('\n').find((line) => line.includes('ecdsa'))!;
    await writeFile(place.config.knownHosts, `${known}\n`);
    expect(await problemsOf(provider)).toEqual([]);
  });

  it('names a folder that cannot be written, roles without a host, and memory that is not there', async () => {
    const provider = await start({
      config: (given) => ({
        ...given,
        dir: '/proc/fctl',
        hosts: given.hosts.map((host) => ({ ...host, role: 'jobmanager' })),
      }),
    });
    const [jobManager, taskManager] = spec.processes;
    const resources = { cpu: 1, memoryBytes: 2 ** 50 };
    const greedy = { ...spec, processes: [{ ...jobManager!, resources }, taskManager!] };
    const codes = (await provider.preflight(greedy, call)).map(({ code }) => code).sort();
    expect(codes).toEqual(['disk-full', 'no-host-for-role', 'not-enough-memory']);
  });
});

const blobOf = (key: { public: string }) => key.public.split(' ')[1]!;

describe('sending the runtime', () => {
  const upload = () =>
    join(place.dirOn(place.hosts[0]!), 'uploads', `runtime-${place.archive.hash}.tar.gz`);

  it('goes on where it broke off, and tells how far it is', async () => {
    const provider = await start();
    const whole = await readFile(place.archive.file);
    await mkdir(join(place.dirOn(place.hosts[0]!), 'uploads'), { recursive: true });
    await writeFile(upload(), whole.subarray(0, 700));
    const seen: TransferProgress[] = [];
    await provider.install(spec.runtime, { signal: never, onProgress: (part) => seen.push(part) });
    expect(seen[0]!.sentBytes).toBeGreaterThan(700);
    expect(seen.at(-1)).toEqual({
      what: 'runtime',
      where: '127.0.0.1',
      sentBytes: whole.length,
      totalBytes: whole.length,
      byOther: false,
    });
    expect(await readdir(join(place.dirOn(place.hosts[0]!), 'uploads'))).toEqual([]);
  });

  it('waits for another client that sends the same, and goes on where that ended', async () => {
    const provider = await start();
    const whole = await readFile(place.archive.file);
    await mkdir(join(place.dirOn(place.hosts[0]!), 'uploads'), { recursive: true });
    await writeFile(upload(), whole.subarray(0, 500));
    const other = spawn('flock', [upload(), 'sh', '-c', 'echo locked; cat'], { stdio: 'pipe' });
    await once(other.stdout, 'data');
    const seen: TransferProgress[] = [];
    const waiting = Promise.withResolvers<void>();
    const installed = provider.install(spec.runtime, {
      signal: never,
      onProgress: (part) => {
        seen.push(part);
        if (part.byOther) waiting.resolve();
      },
    });
    await Promise.race([waiting.promise, installed]);
    // An attempt may have sent something before it heard that it has to wait.
    const byOther = (part: TransferProgress) => part.byOther === true;
    expect(seen.find(byOther)).toMatchObject({ sentBytes: 500 });
    await appendFile(upload(), whole.subarray(500, 600));
    other.stdin.end();
    await installed;
    expect(seen[seen.findLastIndex(byOther) + 1]!.sentBytes).toBeGreaterThan(600);
    expect(await problemsOf(provider)).toEqual([]);
  });

  it('by several clients at once leaves one, whole', async () => {
    await start({ hosts: [{}, {}] });
    const clients = await Promise.all([open(), open(), open(), open()]);
    await Promise.all(clients.map((client) => client.install(spec.runtime, silently)));
    for (const host of place.hosts) {
      expect(await readdir(join(place.dirOn(host), 'runtimes'))).toEqual([place.archive.hash]);
      expect(await readdir(join(place.dirOn(host), 'uploads'))).toEqual([]);
    }
  });

  it('leaves no upload where another client was faster', async () => {
    const provider = await start();
    const [host] = place.hosts;
    const there = join(place.dirOn(host!), 'runtimes', place.archive.hash, 'bin');
    host!.onCommand = (command) => {
      if (!command.includes('tar -x')) return;
      mkdirSync(there, { recursive: true });
      writeFileSync(join(there, 'node'), '#!/bin/sh', { mode: 0o755 });
    };
    await provider.install(spec.runtime, silently);
    expect(await readFile(join(there, 'node'), 'utf8')).toBe('#!/bin/sh');
    expect(await readdir(join(place.dirOn(host!), 'uploads'))).toEqual([]);
  });

  it('refuses what arrived damaged, and sends it anew the next time', async () => {
    const provider = await start();
    await mkdir(join(place.dirOn(place.hosts[0]!), 'uploads'), { recursive: true });
    await writeFile(upload(), Buffer.alloc(700, 'x'));
    await expect(provider.install(spec.runtime, silently)).rejects.toMatchObject({
      problems: [{ code: 'runtime-corrupt' }],
    });
    expect(await readdir(join(place.dirOn(place.hosts[0]!), 'uploads'))).toEqual([]);
    await provider.install(spec.runtime, silently);
    expect(await problemsOf(provider)).toEqual([]);
    expect(await readdir(join(place.dirOn(place.hosts[0]!), 'runtimes'))).toHaveLength(1);
  });

  it('is not done when the connection broke', async () => {
    const provider = await start();
    const [host] = place.hosts;
    host!.onCommand = (command) => {
      if (!command.includes('tar -x')) return;
      host!.onCommand = () => {};
      host!.drop();
    };
    await expect(provider.install(spec.runtime, silently)).rejects.toMatchObject({
      problems: [{ code: 'connection-lost' }],
    });
    await provider.install(spec.runtime, silently);
    expect(await readdir(join(place.dirOn(host!), 'runtimes'))).toEqual([place.archive.hash]);
  });
});

describe('hosts that come and go', () => {
  it('places processes by role and order, and leaves them where they are', async () => {
    const provider = await start({
      hosts: [{}, {}, {}],
      config: (given) => ({
        ...given,
        hosts: given.hosts.map((host, at) => ({
          ...host,
          role: at === 0 ? 'jobmanager' : 'taskmanager',
        })),
      }),
    });
    await deploy(provider);
    const expected = {
      'jobmanager-0': '127.0.0.1 running',
      'taskmanager-0': '127.0.0.2 running',
      'taskmanager-1': '127.0.0.3 running',
    };
    expect(await placesOf(provider)).toEqual(expected);
    const turned = await open({ hosts: place.config.hosts.toReversed() });
    const observed = (await turned.observe(demo, call))!.processes;
    expect(observed.map((p) => p.misplaced)).toEqual([null, null, null]);
  });

  it('moves the record with the JobManager when its host left the config, and cleans that', async () => {
    const provider = await start({ hosts: [{}, {}] });
    await deploy(provider);
    await provider.record(demo).write(DocumentName.releases, { releases: [] }, null);
    const [, second] = place.config.hosts;
    const moved = await open({ hosts: [second!] });
    const before = (await moved.observe(demo, call))!.processes;
    expect(before.find((p) => p.name === 'jobmanager-0')).toMatchObject({
      host: '127.0.0.1',
      misplaced: 'providers.standalone.hosts: 127.0.0.1 left them',
    });
    expect(before.every((p) => p.misplaced !== null)).toBe(true);
    const store = moved.record(demo);
    const { version } = await readDocument(store, DocumentName.lock);
    await store.write(DocumentName.lock, { ...lock, epoch: 2 }, version);
    const replacements = processNames(spec).map((name) => actionOn(spec, name, 'replace'));
    await converge(moved, spec, replacements, { fence: 2, signal: never });
    expect(await placesOf(moved)).toEqual({
      'jobmanager-0': '127.0.0.2 running',
      'taskmanager-0': '127.0.0.2 running',
      'taskmanager-1': '127.0.0.2 running',
    });
    expect((await moved.observe(demo, call))!.processes.map((p) => p.misplaced)).toEqual([
      null,
      null,
      null,
    ]);
    expect(await readDocument(store, DocumentName.releases)).toMatchObject({
      value: { releases: [] },
    });
    // Who still thinks that it is there is told, and goes after it.
    expect(await readDocument(provider.record(demo), DocumentName.lock)).toMatchObject({
      value: { epoch: 2 },
    });
    const late = convergeAll(provider, spec, { fence: 1, signal: never });
    await expect(late).rejects.toMatchObject({ exitCode: 8 });
    expect(await moved.destroy(demo, { fence: 2, deleteState: false, signal: never })).toEqual([]);
    for (const host of place.hosts)
      expect(await readdir(join(place.dirOn(host), 'clusters'))).toEqual([]);
  });

  it('never says of what runs on a silent host that it is gone', async () => {
    const provider = await start({ hosts: [{}, {}, {}] });
    await deploy(provider);
    await place.hosts[1]!.stop();
    const observed = (await provider.observe(demo, call))!.processes;
    expect(observed.find((p) => p.name === 'taskmanager-1')).toMatchObject({
      status: 'lost',
      host: '127.0.0.2',
      location: 'on 127.0.0.2, which does not answer',
    });
    const destroyed = provider.destroy(demo, { fence: 1, deleteState: false, signal: never });
    await expect(destroyed).rejects.toBeInstanceOf(FctlError);
    const listed = await provider.list(call);
    expect(listed.clusters).toEqual(['demo']); // the record stays, to go on with
    expect(listed.silent).toMatchObject([
      { code: 'host-unreachable', path: '/providers/standalone/hosts/1' },
    ]);
  });

  it('refuses a host that has seen a newer lock, though the record is gone', async () => {
    const provider = await start({ hosts: [{}, {}] });
    await deploy(provider, 5);
    const late = converge(provider, spec, [actionOn(spec, 'taskmanager-1', 'delete')], {
      fence: 4,
      signal: never,
    });
    await expect(late).rejects.toMatchObject({ exitCode: 8 });
    expect((await placesOf(provider))['taskmanager-1']).toBe('127.0.0.2 running');
  });
});

describe('connections', () => {
  it('looks again after the connection broke, and says of a change that it is not known', async () => {
    const provider = await start();
    await deploy(provider);
    place.hosts[0]!.drop();
    expect((await provider.list(call)).clusters).toEqual(['demo']);
    expect(place.hosts[0]!.connections).toBe(1);
    const stop = actionOn(spec, 'jobmanager-0', 'delete');
    const stopping = converge(provider, spec, [stop], { fence: 1, signal: never });
    stopping.catch(() => {});
    const file = join(place.dirOn(place.hosts[0]!), 'clusters/demo/host');
    expect(await readdir(file)).not.toEqual([]);
    await provider.close();
    await expect(stopping).rejects.toThrow();
    const other = await open();
    await converge(other, spec, [stop], { fence: 1, signal: never });
    expect(Object.keys(await placesOf(other))).toEqual(['taskmanager-0', 'taskmanager-1']);
  });

  it('uses one connection a host, and none when it is closed', async () => {
    const provider = await start();
    await Promise.all([provider.list(call), provider.list(call), problemsOf(provider)]);
    expect(place.hosts[0]!.connections).toBe(1);
    await provider.close();
    await expect(provider.list(call)).rejects.toThrow('closed');
  });

  it('sends its agent to a host that has another one', async () => {
    const provider = await start();
    await deploy(provider);
    await appendFile(join(place.folder, 'dist/host-agent.js'), '\n// another version\n');
    expect(await clusters(await open())).toEqual(['demo']);
    expect(await readdir(join(place.dirOn(place.hosts[0]!), 'agents'))).toHaveLength(2);
  });
});
