import { describe, expect, it } from 'vitest';
import { load, problemsOf } from './project.ts';

const yaml = 'cluster: ab\napplication: { entry: app.ts, args: { inputDir: x, snake_case: y } }';
const args = async (options: Parameters<typeof load>[1]) =>
  (await load(yaml, options)).config.application!.args;

describe('--set', () => {
  it.each([
    ['3', 3],
    ['true', true],
    ['null', null],
    ['', ''],
    ["'3'", '3'],
    ['[1, b]', [1, 'b']],
    ['{ a: 1 }', { a: 1 }],
    ['a=b=c', 'a=b=c'],
    // Whatever is neither a scalar nor a flow collection, as a whole, is text.
    ['Hello: world', 'Hello: world'],
    ['issue #5', 'issue #5'],
    ['issue #', 'issue #'],
    ['*.csv', '*.csv'],
    ['[a', '[a'],
    ['- a', '- a'],
    ['a\nb', 'a\nb'],
    [' 3', ' 3'],
    ['@x', '@x'],
    ['-3.5', -3.5],
    // What a number would not keep is text.
    ['00501', '00501'],
    ['1.10', '1.10'],
    ['1e3', '1e3'],
    ['0x1F', '0x1F'],
    ['9007199254740993', '9007199254740993'],
    ['[1.0, 1234567890123456789]', ['1.0', '1234567890123456789']],
    ['~', '~'],
    ['{date}', '{date}'],
    ['[a-z]*.csv', '[a-z]*.csv'],
  ])('takes %j for %j', async (text, value) => {
    expect((await args({ set: [`application.args.v=${text}`] }))['v']).toEqual(value);
  });

  it('leaves text alone where the schema wants text', async () => {
    const { config } = await load(yaml, { set: ['jobmanager.rest.bind=127', 'cluster=on'] });
    expect([config.jobmanager.rest.bind, config.cluster]).toEqual(['127', 'on']);
  });

  it('lets the last one win, and has dots in keys', async () => {
    const set = ['application.args.a\\.b=1', 'application.args.a\\.b=2'];
    expect(await args({ set })).toMatchObject({ 'a.b': 2 });
  });

  it.each(['x', '=3', 'a..b=1', '.a=1', 'a.=1'])('refuses %j', async (set) => {
    const problems = await problemsOf(yaml, { set: [set, 'taskmanager.slots=0'] });
    expect(problems.map((p) => p.code).toSorted()).toEqual(['invalid-value', 'set-malformed']);
  });
});

describe('environment variables', () => {
  it.each([
    'FCTL_TASKMANAGER__SLOT_REQUEST_TIMEOUT',
    'FCTL_taskmanager__slotRequestTimeout',
    'FCTL_TaskManager__SLOTREQUESTTIMEOUT',
  ])('finds the key of %s', async (name) => {
    const { config } = await load(yaml, { env: { [name]: '7s' } });
    expect(config.taskmanager.slotRequestTimeoutMs).toBe(7000);
  });

  it('has top-level keys', async () => {
    const { config } = await load(yaml, { env: { FCTL_CLUSTER: 'cd', FCTL_RETENTION: '1h' } });
    expect([config.cluster, config.retentionMs]).toEqual(['cd', 3_600_000]);
  });

  it('leaves those of the process contract, of others, and empty ones alone', async () => {
    const env = {
      FCTL_HOME: '/x',
      FCTL_CONFIG: '/x',
      FCTL_CLUSTER_ID: 'x',
      FCTL_SOMETHING: 'x',
      FCTL_MODE: '',
      FCTL_TASKMANAGER__SLOTS: undefined,
      MY_TASKMANAGER__SLOTS: '9',
    };
    const { config } = await load(yaml, { env });
    expect(config).toMatchObject({ cluster: 'ab', mode: 'application', taskmanager: { slots: 1 } });
  });

  it('means the keys that the file has below arguments, else makes them up', async () => {
    const env = {
      FCTL_APPLICATION__ARGS__INPUT_DIR: 'i',
      FCTL_APPLICATION__ARGS__SNAKE_CASE: 's',
      FCTL_APPLICATION__ARGS__OUTPUT_DIR: 'o',
    };
    expect(await args({ env })).toEqual({ inputDir: 'i', snake_case: 's', outputDir: 'o' });
  });

  it('lets the more specific one win, in any order', async () => {
    const env = { FCTL_TASKMANAGER__SLOTS: '3', FCTL_TASKMANAGER: '{ slots: 2, replicas: 4 }' };
    const { config } = await load(yaml, { env });
    expect(config.taskmanager).toMatchObject({ slots: 3, replicas: 4 });
  });

  it('makes up for a config file', async () => {
    const { Project } = await import('./project.ts');
    await using project = await Project.with({});
    const loaded = await project.load({ env: { FCTL_CLUSTER: 'ab' } });
    expect(loaded).toMatchObject({ file: null, config: { projectDir: project.folder } });
    expect((await project.problems()).map((p) => p.code)).toEqual(['config-missing']);
    expect((await project.problems({ env: { FCTL_CLUSTER: '' } })).length).toBe(1);
  });
});
