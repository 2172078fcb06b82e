import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { showConfig } from '../../src/config/show.ts';
import { Project, brief, load, problemsOf } from './project.ts';

/** From weak to strong: how a layer sets the slots, and what `config show` says of where they are from. */
const layers = {
  file: 'file fctl.config.yaml:3:10',
  overlay: 'environment production, file fctl.config.yaml:5:32',
  variable: 'FCTL_TASKMANAGER__SLOTS',
  flag: '--set taskmanager.slots',
} as const;
type Name = keyof typeof layers;
const names = Object.keys(layers) as Name[];

function originOf(rows: ReturnType<typeof showConfig>, path: string) {
  const row = rows.find((candidate) => candidate.path === path)!;
  return { value: row.value, origin: row.origin };
}

describe('precedence', () => {
  it('lets the strongest layer win and names it, whichever are there', async () => {
    await using project = await Project.with({});
    await fc.assert(
      fc.asyncProperty(
        fc.subarray(names),
        fc.array(fc.integer({ min: 1, max: 99 }), { minLength: 4, maxLength: 4 }),
        async (given, values) => {
          const value = (name: Name) => values[names.indexOf(name)]!;
          const has = (name: Name) => given.includes(name);
          const slots = (name: Name) => (has(name) ? `slots: ${value(name)}` : 'replicas: 1');
          await project.write(
            'fctl.config.yaml',
            `cluster: demo\ntaskmanager:\n  ${slots('file')}\nenvironments:\n  production: { taskmanager: { ${slots('overlay')} } }\n`.replace(
              'taskmanager: { slots:',
              'taskmanager: {slots:',
            ),
          );
          const loaded = await project.load({
            environment: 'production',
            env: has('variable') ? { FCTL_TASKMANAGER__SLOTS: String(value('variable')) } : {},
            set: has('flag') ? [`taskmanager.slots=${value('flag')}`] : [],
          });
          const strongest = names.findLast(has);
          expect(originOf(showConfig(loaded), 'taskmanager.slots')).toEqual({
            value: strongest ? value(strongest) : 1,
            origin: strongest
              ? expect.stringContaining(layers[strongest].split(':')[0]!)
              : 'default',
          });
          expect(loaded.config.taskmanager.slots).toBe(strongest ? value(strongest) : 1);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('merges objects key by key and replaces lists', async () => {
    const yaml = `cluster: ab
application: { entry: app.ts, args: { a: 1, b: { c: 1, d: [1, 2] } } }
storage: { shared: [hdfs, s3] }
environments:
  test: { application: { args: { b: { d: [3] } } }, storage: { shared: [] } }`;
    const { config } = await load(yaml, { environment: 'test', set: ['application.args.b.e=5'] });
    expect(config.application?.args).toEqual({ a: 1, b: { c: 1, d: [3], e: 5 } });
    expect(config.storage.shared).toEqual([]);
  });

  it('replaces a scalar by an object and an object by a scalar', async () => {
    const yaml = 'cluster: ab\napplication: { entry: app.ts, args: { a: 1, b: { c: 1 } } }';
    const set = ['application.args.a.x=1', 'application.args.b=2'];
    const { config } = await load(yaml, { set });
    expect(config.application?.args).toEqual({ a: { x: 1 }, b: 2 });
  });

  it('calls a default a default, also in a section that the file has', async () => {
    const rows = showConfig(await load('cluster: ab\ntaskmanager: { slots: 3 }'));
    expect(originOf(rows, 'taskmanager.replicas')).toEqual({ value: 1, origin: 'default' });
    expect(originOf(rows, 'taskmanager.slots').origin).toBe('file fctl.config.yaml:2:23');
  });

  it('is not led astray by keys that JavaScript has a meaning for', async () => {
    const yaml =
      'cluster: ab\napplication: { entry: app.ts, args: { __proto__: { a: 1 }, constructor: 2 } }';
    const { config } = await load(yaml, { set: ['application.args.__proto__.b=3'] });
    const { args } = config.application!;
    expect(args).toEqual({ constructor: 2 });
    expect(({} as Record<string, unknown>)['a']).toBeUndefined();
  });
});

describe('environments', () => {
  const yaml = `cluster: ab
environments:
  production: { cluster: cd, taskmanager: { replicas: 3 } }
  staging: { taskmanager: { replicas: 2 } }
`;

  it('lays the chosen one over the file', async () => {
    const { config } = await load(yaml, { environment: 'production' });
    expect([config.cluster, config.taskmanager.replicas]).toEqual(['cd', 3]);
    expect((await load(yaml)).config.taskmanager.replicas).toBe(1);
  });

  it.each([
    ['prodution', "did you mean 'production'?"],
    ['qa', 'known are production, staging'],
  ])('does not know %s', async (environment, hint) => {
    const [problem] = await problemsOf(yaml, { environment });
    expect(problem).toMatchObject({ code: 'unknown-environment', line: 2, hint });
  });

  it('says so when there are none', async () => {
    const [problem] = await problemsOf('cluster: ab', { environment: 'qa' });
    expect(problem!.hint).toBe('the config file has none');
  });

  it.each([null, 'production'])(
    'finds mistakes in all of them, with %s chosen',
    async (environment) => {
      const wrong = `cluster: ab
environments:
  production: { taskmanagr: {}, taskmanager: { slots: 0 } }
  staging:
    retention: long
    security: { auth: token, tls: maybe }
`;
      const prefix = '/environments/production';
      expect((await problemsOf(wrong, { environment })).map(brief)).toEqual([
        `3:17 ${prefix}/taskmanagr unknown-key`,
        `3:55 ${prefix}/taskmanager/slots invalid-value`,
        '5:16 /environments/staging/retention invalid-value',
        '6:35 /environments/staging/security/tls invalid-value',
      ]);
    },
  );

  it.each(['environments: [a]', 'environments: { a: 3 }', 'environments: { a: }'])(
    'must be overlays: %j',
    async (text) => {
      const problems = await problemsOf(`cluster: ab\n${text}`, { environment: 'a' });
      expect(problems).toContainEqual(expect.objectContaining({ code: 'invalid-value', line: 2 }));
    },
  );

  it('come from the file alone', async () => {
    const [problem] = await problemsOf('cluster: ab', { set: ['environments.a.cluster=cd'] });
    expect(problem).toMatchObject({ code: 'unknown-key', hint: 'only a config file may have it' });
  });
});
