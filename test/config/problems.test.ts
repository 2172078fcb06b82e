import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../src/contract/errors.ts';
import { Project, brief, load, problemsOf } from './project.ts';

const mistakes = [
  '/cluster invalid-value',
  '/provider invalid-value',
  '/taskmanager/slot unknown-key',
  '/taskmanager/resources/memory invalid-value',
  '/application/entry entry-missing',
];

describe('five mistakes in one run', () => {
  it('has the places of all in YAML', async () => {
    await using project = await Project.with({
      'fctl.config.yaml': `# The cluster.
cluster: Flights
provider: kubernets   # close
taskmanager:
  slot: 2
  resources:
    memory: "1 gig"
application:
  entry: ./gone.ts
`,
    });
    const problems = await project.problems({ requireApplication: true });
    const places = ['2:10', '3:11', '5:3', '7:13', '9:10'];
    expect(problems.map(brief)).toEqual(places.map((place, i) => `${place} ${mistakes[i]}`));
    expect(new Set(problems.map((p) => p.file))).toEqual(
      new Set([join(project.folder, 'fctl.config.yaml')]),
    );
  });

  it('has the places that an editor shows, in a file of Windows', async () => {
    await using project = await Project.with({
      'fctl.config.yaml': '\uFEFFcluster: Flights\r\ntaskmanager:\r\n  slot: 2\r\n',
    });
    expect((await project.problems()).map(brief)).toEqual([
      '1:10 /cluster invalid-value',
      '3:3 /taskmanager/slot unknown-key',
    ]);
  });

  const json = `{
\t"cluster": "Flights",
\t"provider": "kubernets",
\t"taskmanager": { "slot": 2, "resources": { "memory": "1 gig" } },
\t"application": { "entry": "./gone.ts" }
}`;

  it('has the places of all in JSON', async () => {
    await using project = await Project.with({ 'fctl.config.json': json });
    const problems = await project.problems({ requireApplication: true });
    const places = ['2:13', '3:14', '4:19', '4:55', '5:28'];
    expect(problems.map(brief)).toEqual(places.map((place, i) => `${place} ${mistakes[i]}`));
  });

  it('has the places of all in package.json', async () => {
    await using project = await Project.with({ 'package.json': `{ "fctl":\n${json} }` });
    const problems = await project.problems({ requireApplication: true });
    const places = ['3:13', '4:14', '5:19', '5:55', '6:28'];
    expect(problems.map(brief)).toEqual(places.map((place, i) => `${place} ${mistakes[i]}`));
  });

  it('names the file in TypeScript', async () => {
    await using project = await Project.with({ 'fctl.config.ts': `export default ${json};` });
    const problems = await project.problems({ requireApplication: true });
    expect(problems.map(brief).toSorted()).toEqual(mistakes.map((m) => `-:- ${m}`).toSorted());
    expect(problems[0]!.file).toBe(join(project.folder, 'fctl.config.ts'));
  });

  it('names the variable or flag that a value came from', async () => {
    const problems = await problemsOf('cluster: demo', {
      env: { FCTL_TASKMANAGER__SLOTS: 'many', FCTL_RETENTOIN__X: '1' },
      set: ['jobmanager.rest.port=70000', 'nonsense'],
    });
    const messages = Object.fromEntries(problems.map((p) => [p.path, p.message]));
    expect(messages).toEqual({
      '/taskmanager/slots': 'must be a whole number, not "many" (from FCTL_TASKMANAGER__SLOTS)',
      '/retentoin': "unknown key 'retentoin' (from FCTL_RETENTOIN__X)",
      '/jobmanager/rest/port': 'must be at most 65535, not 70000 (from --set jobmanager.rest.port)',
      null: '--set nonsense is not of the form key=value',
    });
  });
});

describe('what is said', () => {
  it.each([
    ['clutser: x', 'clutser', "did you mean 'cluster'?"],
    ['cluster: ab\ntaskmanager: { Slots: 1 }', 'Slots', "did you mean 'slots'?"],
    ['cluster: ab\nslots: 2', 'slots', "'taskmanager.slots'"],
    ['cluster: ab\ntaskmanager.slots: 2', 'taskmanager.slots', "'taskmanager.slots'"],
    ['cluster: ab\nheartbeat: { foobarbaz: 2 }', 'foobarbaz', 'known keys are interval, timeout'],
    ['cluster: ab\nproviders: { kubernets: {} }', 'kubernets', "did you mean 'kubernetes'?"],
  ])('of an unknown key: %j', async (yaml, key, hint) => {
    const problem = (await problemsOf(yaml)).find((p) => p.code === 'unknown-key');
    expect(problem?.message).toBe(`unknown key '${key}'`);
    expect(problem?.hint).toContain(hint);
  });

  it.each([
    ['provider: kubernets', '/provider', "did you mean 'kubernetes'?"],
    ['heartbeat: { interval: 10 }', '/heartbeat/interval', 'For example 10s, 500ms, 5m.'],
    ['jobmanager: { resources: { memory: 5 } }', '/jobmanager/resources/memory', '512MiB'],
    ['jobmanager: { rest: { hosts: "a,b" } }', '/jobmanager/rest/hosts', 'write [a, b]'],
    ['storage: { shared: /mnt }', '/storage/shared', 'write [/mnt]'],
    ['storage: { shared: 5 }', '/storage/shared', 'Paths'],
  ])('of a wrong value: %j', async (yaml, path, hint) => {
    const [problem] = await problemsOf(`cluster: ab\n${yaml}`);
    expect(problem).toMatchObject({ path, code: 'invalid-value', line: 2 });
    expect(problem!.hint).toContain(hint);
  });

  it.each([
    ['taskmanager:', "'taskmanager' is empty: give it a value or remove it"],
    ['taskmanager: 3', 'must be an object, not 3'],
    ['taskmanager: { slots: 1.5 }', 'must be a whole number, not 1.5'],
    ['taskmanager: { slots: 0 }', 'must be at least 1, not 0'],
    ['taskmanager: { resources: { cpu: 0 } }', 'must be above 0, not 0'],
    ['taskmanager: { resources: { memory: 1MiB } }', 'must be at least 64.0 MiB, not "1MiB"'],
    ['taskmanager: { slotRequestTimeout: 30d }', 'must be above 0 and at most 24d, not "30d"'],
    [
      'heartbeat: { timeout: 5 minutes }',
      "must be a duration, for example '10s' or '5m', not \"5 minutes\"",
    ],
    ['storage: { shared: hdfs }', 'must be a list, not "hdfs"'],
    ['security: { auth: basic }', 'must be token or none, not "basic"'],
    ['mode: [session]', 'must be application, per-job or session, not a list'],
    [
      'application: { entry: app.ts, args: { x: .nan } }',
      'must be text, a number, true, false, null, a list or an object, not NaN',
    ],
  ])('of %j', async (yaml, message) => {
    const problems = await problemsOf(`cluster: ab\n${yaml}`);
    expect(problems.map((p) => p.message)).toEqual([message]);
  });
});

describe('what the schema does not know', () => {
  it('points at the entry, beside mistakes of the schema', async () => {
    const yaml = 'cluster: 7\napplication: { entry: ./src/gone.ts, parallelism: none }';
    const problems = await problemsOf(yaml, { requireApplication: true });
    expect(problems.map(brief)).toEqual([
      '1:10 /cluster invalid-value',
      '2:23 /application/entry entry-missing',
      '2:51 /application/parallelism invalid-value',
    ]);
  });

  it('does not take a folder for the entry', async () => {
    const yaml = 'cluster: ab\napplication: { entry: . }';
    const problems = await problemsOf(yaml, { requireApplication: true });
    expect(problems.map((p) => p.code)).toEqual(['entry-missing']);
    expect(problems[0]!.message).toMatch(/^the entry file \/.* is not a file$/);
  });

  it('lets verbs that need no application go on without its entry', async () => {
    const { config } = await load('cluster: ab\napplication: { entry: ./gone.ts }');
    expect(config.application?.entry).toMatch(/\/gone\.ts$/);
  });

  it.each([
    ['./gone', 'does not exist'],
    ['.', 'is not a file'],
    ['app.ts', 'is not executable'],
  ])('does not take %s for a Node.js executable', async (node, what) => {
    const problems = await problemsOf(`cluster: ab\nruntime: { node: ${node} }`);
    expect(problems.map(brief)).toEqual(['2:18 /runtime/node node-missing']);
    expect(problems[0]!.message).toMatch(new RegExp(`^the file /.* ${what}$`));
  });

  it('finds a Node.js executable beside the config file', async () => {
    await using project = await Project.with({
      'fctl.config.yaml': 'cluster: ab\nruntime: { node: bin/node }',
      'bin/node': '#!/bin/sh\n',
    });
    await chmod(join(project.folder, 'bin/node'), 0o755);
    const { config } = await project.load();
    expect(config.runtime.node).toBe(join(project.folder, 'bin/node'));
  });

  it('wants an application where one is needed', async () => {
    const problems = await problemsOf('cluster: ab', { requireApplication: true });
    expect(problems.map(brief)).toEqual(['1:1 /application missing']);
  });

  it('points at the object that a key is missing in', async () => {
    const problems = await problemsOf('# nothing\nmode: application\napplication: { args: {} }');
    expect(problems.map(brief)).toEqual(['2:1 /cluster missing', '3:1 /application/entry missing']);
  });

  it.each([
    ['heartbeat: { interval: 10s, timeout: 10s }', '2:38 /heartbeat/timeout'],
    ['heartbeat: { interval: 1m }', '2:24 /heartbeat/interval'],
  ])('compares keys: %j', async (yaml, place) => {
    const problems = await problemsOf(`cluster: ab\n${yaml}`);
    expect(problems.map(brief)).toEqual([`${place} heartbeat-too-short`]);
  });

  it.each([
    [
      'restart: { exponentialDelay: { initialBackoff: 2m } }',
      '2:48 /restart/exponentialDelay/initialBackoff',
    ],
    [
      'restart: { exponentialDelay: { maxBackoff: 10ms } }',
      '2:44 /restart/exponentialDelay/maxBackoff',
    ],
  ])('compares the backoffs of a restart strategy: %j', async (yaml, place) => {
    const problems = await problemsOf(`cluster: ab\n${yaml}`);
    expect(problems.map(brief)).toEqual([`${place} backoff-too-short`]);
  });

  it('allows more parallelism than there are slots: the job waits for them', async () => {
    const yaml = 'cluster: ab\napplication: { entry: app.ts, parallelism: 9 }';
    expect(await problemsOf(yaml, { requireApplication: true })).toEqual([]);
  });

  it.each(['0.0.0.0', '"::"', '10.1.2.3', 'flink.example', '127.0.0.1.example'])(
    'lets nobody in without a token where others reach the cluster, unless told so: %s',
    async (bind) => {
      const open = `cluster: ab\njobmanager: { rest: { bind: ${bind} } }\nsecurity: { auth: none }`;
      const problems = await problemsOf(open);
      expect(problems.map(brief)).toEqual(['3:19 /security/auth open-to-others']);
      expect(problems[0]?.message).toContain(bind.replaceAll('"', ''));
      expect(problems[0]?.hint).toContain('security.allowOpenAccess: true');
      const forced = open.replace('auth: none', 'auth: none, allowOpenAccess: true');
      expect((await load(forced)).warnings.map(brief)).toEqual([
        '2:29 /jobmanager/rest/bind open-to-others',
      ]);
    },
  );

  it.each(['127.0.0.1', '127.8.8.8', 'localhost', '"::1"'])(
    'needs no token on loopback: %s',
    async (bind) => {
      const local = `cluster: ab\njobmanager: { rest: { bind: ${bind} } }\nsecurity: { auth: none }`;
      expect((await load(local)).warnings).toEqual([]);
    },
  );

  it('takes names and origins that are some', async () => {
    const yaml = (rest: string) => `cluster: ab\njobmanager: { rest: { ${rest} } }`;
    const good = 'hosts: [flink.example], allowedOrigins: ["https://ui.example:8443"]';
    expect((await load(yaml(good))).config.jobmanager.rest).toMatchObject({
      hosts: ['flink.example'],
      allowedOrigins: ['https://ui.example:8443'],
    });
    for (const bad of ['hosts: ["flink.example:80"]', 'hosts: ["*"]', 'allowedOrigins: ["*"]']) {
      expect(await problemsOf(yaml(bad))).toHaveLength(1);
    }
    for (const bad of ['ui.example', 'https://ui.example/', 'https://*.example', 'null']) {
      expect(await problemsOf(yaml(`allowedOrigins: ["${bad}"]`))).toHaveLength(1);
    }
  });
});

describe('variables of processes', () => {
  const yaml = (variables: string) =>
    `cluster: ab\njobmanager: { environment: { TZ: CET } }\ntaskmanager: { environment: ${variables} }`;

  it('are taken as they are', async () => {
    const { jobmanager, taskmanager } = (await load(yaml('{ _a1: "", NODE_OPTIONS: "--x=${y}" }')))
      .config;
    expect(jobmanager.environment).toEqual({ TZ: 'CET' });
    expect(taskmanager.environment).toEqual({ _a1: '', NODE_OPTIONS: '--x=${y}' });
  });

  it.each([
    ['{ "A B": x }', 'is no name of a variable'],
    ['{ "": x }', 'is no name of a variable'],
    ['{ 1A: x }', 'is no name of a variable'],
    ['{ "A=B": x }', 'is no name of a variable'],
    ['{ FCTL_CONFIG: x }', 'those of fctl'],
    ['{ A: "${env:PW}" }', 'a reference cannot stand here'],
    ['{ A: "x${exec:echo hunter2}" }', 'a reference cannot stand here'],
    ['{ DB_PASSWORD: x }', 'is called like a secret'],
    ['{ AWS_SECRET_ACCESS_KEY: x }', 'is called like a secret'],
    ['{ A: 5 }', 'must be text'],
    ['[A]', 'must be an object'],
  ])('must be some, and no secrets: %s', async (variables, message) => {
    const problems = await problemsOf(yaml(variables), { env: { PW: 'hunter2' } });
    expect(problems).toMatchObject([{ line: 3, message: expect.stringContaining(message) }]);
    expect(JSON.stringify(problems)).not.toContain('hunter2');
  });
});

describe('hosts', () => {
  it.each([
    ['[h1, h2, h1]', ['/providers/standalone/hosts/2']],
    [
      '[{ address: h1, role: jobmanager }, { address: h1, role: taskmanager }]',
      ['/providers/standalone/hosts/1'],
    ],
    [
      '[{ address: h1, port: 2201 }, { address: h1, port: 2202 }, h1]',
      ['/providers/standalone/hosts/1', '/providers/standalone/hosts/2'],
    ],
    ['[h1, { address: h2, role: taskmanager }]', []],
  ])('are there once: %s', async (hosts, paths) => {
    const problems = await problemsOf(
      `cluster: ab\nprovider: standalone\nproviders:\n  standalone:\n    hosts: ${hosts}`,
    );
    expect(problems.map(({ path }) => path)).toEqual(paths);
    for (const { code, line } of problems) expect([code, line]).toEqual(['host-twice', 5]);
  });
});

describe('syntax', () => {
  it.each([
    ['two lists that do not end', 'a: [1\nb: {x\n', ['2:1', '2:1']],
    ['a tab and a text that does not end', 'cluster: a\n\tmode: b\nc: "\n', ['2:1', '4:1']],
    ['aliases of nothing', 'cluster: *a\nmode: *b\n', ['1:10', '2:7']],
    ['a tag', 'cluster: !secret x\n', ['1:10']],
    ['several documents', 'cluster: ab\n---\ncluster: cd\n', ['2:1']],
    ['no object', '- a\n', ['1:1']],
  ])('has the place of %s', async (_what, yaml, places) => {
    const problems = await problemsOf(yaml);
    expect(new Set(problems.map((p) => p.code))).toEqual(new Set(['syntax']));
    expect(problems.map((p) => `${p.line}:${p.column}`)).toEqual(expect.arrayContaining(places));
  });

  it('reports malformed flags beside it', async () => {
    const problems = await problemsOf('a: [', { set: ['x'] });
    expect(problems.map((p) => p.code)).toEqual(['syntax', 'set-malformed']);
  });

  it('refuses aliases that multiply', async () => {
    const lines = ['x0: &x0 [a, a, a, a, a, a, a, a, a, a]'];
    for (let i = 1; i < 6; i++) lines.push(`x${i}: &x${i} [${`*x${i - 1},`.repeat(10)}]`);
    const problems = await problemsOf(lines.join('\n'));
    expect(problems.map((p) => p.code)).toEqual(['syntax']);
  });

  it('goes on after keys that are there twice', async () => {
    const yaml = 'cluster: ab\nmode: application\ncluster: cd\ntaskmanager: { slots: 0, slots: 1 }';
    const problems = await problemsOf(`${yaml}\nretention: long`);
    expect(problems.map((p) => `${p.line}:${p.column} ${p.code} ${p.message}`)).toEqual([
      '3:1 duplicate-key the key cluster is there twice',
      '4:26 duplicate-key the key slots is there twice',
      "5:12 invalid-value must be a duration, for example '10s' or '5m', not \"long\"",
    ]);
  });

  it('names a key that is there twice in JSON', async () => {
    await using project = await Project.with({
      'fctl.config.json': '{"cluster":"ab",\n"cluster":"cd"}',
    });
    const problems = await project.problems();
    expect(problems.map((p) => `${p.line}:${p.column} ${p.message}`)).toEqual([
      '2:1 the key "cluster" is there twice',
    ]);
  });

  it('has the place in TypeScript', async () => {
    await using project = await Project.with({
      'fctl.config.ts': 'export default {\n  a: = 1\n};',
    });
    expect((await project.problems()).map(brief)).toEqual(['2:6 - syntax']);
  });
});

it('throws one error that carries them all', async () => {
  await using project = await Project.with({ 'fctl.config.yaml': 'a: 1\nb: 2' });
  const error = await project.load().catch((e: unknown) => e);
  expect(error).toBeInstanceOf(ConfigError);
  expect(error).toMatchObject({ exitCode: 3, problems: [{}, {}, {}] });
});
