import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { maskedConfig, showConfig } from '../../src/config/show.ts';
import { joinSecrets, splitSecrets } from '../../src/contract/secrets.ts';
import { Project, brief, load, problemsOf } from './project.ts';

const env = { SECRET: 'hunter2', PATH: process.env['PATH'] };
const application = (args: string) => `cluster: ab\napplication: { entry: app.ts, args: ${args} }`;
const argsOf = async (args: string) =>
  (await load(application(args), { env })).config.application!.args;

describe('references', () => {
  it('become what they stand for, after everything is merged', async () => {
    await using project = await Project.with({
      'fctl.config.yaml': application(
        '{ a: "u:${env:SECRET}@h", b: "${file:./pw}", d: ["${env:SECRET}"] }',
      ),
      pw: 'from a file\n\n',
    });
    const set = ['application.args.c=${exec:echo $SECRET in $(basename "$PWD")}'];
    const { config } = await project.load({ env, set });
    expect(config.application!.args).toEqual({
      a: 'u:hunter2@h',
      b: 'from a file',
      c: `hunter2 in ${project.folder.split('/').at(-1)}`,
      d: ['hunter2'],
    });
  });

  it('take braces along in pairs', async () => {
    const args = `{ a: "\${exec:echo x y | awk '{ print $2 }'}!" }`;
    expect(await argsOf(args)).toEqual({ a: 'y!' });
  });

  it('can be escaped, and are not looked for in what they become', async () => {
    await using project = await Project.with({
      'fctl.config.yaml': application(
        '{ a: "$${env:SECRET}", b: "${file:pw}", c: "${other:x} $x" }',
      ),
      pw: '${env:SECRET}',
    });
    const { config } = await project.load({ env });
    expect(config.application!.args).toEqual({
      a: '${env:SECRET}',
      b: '${env:SECRET}',
      c: '${other:x} $x',
    });
  });

  it('are run neither in overlays nor for providers that were not chosen', async () => {
    await using project = await Project.with({});
    const touch = (name: string) => `"\${exec:touch ${join(project.folder, name)}}"`;
    await writeFile(
      join(project.folder, 'fctl.config.yaml'),
      `cluster: ab
application: { entry: app.ts, args: { x: ${touch('ran')} } }
providers: { kubernetes: { token: ${touch('provider')} } }
environments:
  a: { application: { args: { x: ${touch('overlay')}, y: "\${env:MISSING}" } }, retention: "\${env:MISSING}" }
`,
    );
    await project.load({ env });
    expect((await readdir(project.folder)).toSorted()).toEqual([
      'fctl.config.yaml',
      'package.json',
      'ran',
    ]);
  });

  it('fail with their place, all of them, and say nothing else about it', async () => {
    const yaml = `cluster: \${env:MISSING}
retention: \${file:missing}
provider: \${exec:echo nope >&2; exit 3}
mode: \${exec:exit 3}
application: { entry: "\${env:MISSING}" }`;
    const problems = await problemsOf(yaml, { env, requireApplication: true });
    expect(problems.map(brief)).toEqual([
      '1:10 /cluster reference-failed',
      '2:12 /retention reference-failed',
      '3:11 /provider reference-failed',
      '4:7 /mode reference-failed',
      '5:23 /application/entry reference-failed',
    ]);
    expect(problems.map((p) => p.message)).toEqual([
      '${env:MISSING}: the environment variable is not set',
      '${file:missing}: the file does not exist',
      '${exec:echo nope >&2; exit 3}: nope',
      '${exec:exit 3}: the command exited with 3',
      '${env:MISSING}: the environment variable is not set',
    ]);
  });
});

describe('numbers that are called like secrets', () => {
  it.each([
    'providers: { standalone: { hosts: [h], password: 83746512 } }',
    'environments: { a: { providers: { standalone: { hosts: [h], password: 83746512 } } } }',
    'providers: { standalone: { hosts: [h], passphrase: [83746512] } }',
    'providers: { standalone: { hosts: [{ address: h, password: 83746512 }] } }',
    'jobmanager: { token: 83746512, credentials: { pin: 83746512 } }',
  ])('are not told by messages about them: %s', async (lines) => {
    const problems = await problemsOf(`cluster: ab\nprovider: standalone\n${lines}`);
    expect(problems.length).toBeGreaterThan(0);
    expect(JSON.stringify(problems)).not.toContain('83746512');
  });

  it('are masked, and reach the application as numbers', async () => {
    const args = '{ password: 83746512, db: { apiKey: 1234.5 }, credentials: { pin: 999999 } }';
    const loaded = await load(application(args));
    expect(maskedConfig(loaded)['application']).toMatchObject({
      args: { password: '******', db: { apiKey: '******' }, credentials: { pin: '******' } },
    });
    const { args: resolved, secretArgs } = loaded.config.application!;
    expect(secretArgs).toEqual(['/password', '/db/apiKey', '/credentials/pin']);
    const { masked, secrets } = splitSecrets(resolved, secretArgs);
    expect(JSON.stringify(masked)).not.toMatch(/[0-9]/);
    expect(joinSecrets(masked, secrets)).toEqual(resolved);
  });

  it('are no secrets where the name only begins like one', async () => {
    const args = '{ maxTokens: 5, tokenizer: { size: 512, lower: true }, secretSanta: null }';
    const loaded = await load(application(args));
    expect(maskedConfig(loaded)['application']).toMatchObject({
      args: loaded.parsed.application!.args,
    });
  });
});

describe('secrets', () => {
  const yaml = `cluster: ab
application:
  entry: app.ts
  args:
    url: "db://me:\${env:SECRET}@host"
    list: [plain, "\${env:SECRET}", { deep: "\${env:SECRET}" }]
    password: hunter2
    db: { apiKey: hunter2, user: me }
    credentials: { anything: hunter2 }
    empty: {}
security: { auth: token }
`;

  it('are masked wherever the configuration is shown', async () => {
    const loaded = await load(yaml, { env });
    const rows = showConfig(loaded);
    const masked = maskedConfig(loaded);
    expect(JSON.stringify([rows, masked])).not.toContain('hunter2');
    expect(masked['application']).toMatchObject({
      args: {
        url: '******',
        list: ['plain', '******', { deep: '******' }],
        password: '******',
        db: { apiKey: '******', user: 'me' },
        credentials: { anything: '******' },
        empty: {},
      },
    });
    expect(rows.filter((row) => row.path.startsWith('application.args'))).toEqual([
      { path: 'application.args.url', value: '******', origin: 'file fctl.config.yaml:5:10' },
      {
        path: 'application.args.list',
        value: ['plain', '******', { deep: '******' }],
        origin: 'file fctl.config.yaml:6:5',
      },
      { path: 'application.args.password', value: '******', origin: 'file fctl.config.yaml:7:15' },
      { path: 'application.args.db.apiKey', value: '******', origin: 'file fctl.config.yaml:8:19' },
      { path: 'application.args.db.user', value: 'me', origin: 'file fctl.config.yaml:8:34' },
      {
        path: 'application.args.credentials.anything',
        value: '******',
        origin: 'file fctl.config.yaml:9:30',
      },
      { path: 'application.args.empty', value: {}, origin: 'file fctl.config.yaml:10:5' },
    ]);
    expect(rows.map((row) => row.path)).not.toContain('savepoints');
    expect(rows).toContainEqual(expect.objectContaining({ path: 'security.auth', value: 'token' }));
    expect(loaded.config.application!.args['password']).toBe('hunter2');
  });

  it.each([
    'cluster: "${env:SECRET}!"',
    'cluster: ab\nprovider: "${env:SECRET}"',
    'cluster: ab\ntaskmanager: "${env:SECRET}"',
    'cluster: ab\ntaskmanager: ["${env:SECRET}"]',
    'cluster: ab\nretention: "${env:SECRET}"',
    'cluster: ab\napplication: { entry: "${env:SECRET}" }',
  ])('are not told by messages about them: %j', async (text) => {
    const problems = await problemsOf(text, { env, requireApplication: true });
    expect(problems.length).toBeGreaterThan(0);
    expect(JSON.stringify(problems)).not.toContain('hunter2');
  });
});
