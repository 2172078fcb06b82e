/** The config of an earlier release: the same as it was, with today's secrets. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { restoreConfig } from '../../src/config/recorded.ts';
import { maskedConfig } from '../../src/config/show.ts';
import { ClusterError } from '../../src/contract/errors.ts';
import type { JsonObject, JsonValue } from '../../src/contract/json.ts';
import { MASK } from '../../src/contract/secrets.ts';
import { load } from './project.ts';

const yaml = `cluster: demo
application:
  entry: ./app.ts
  args: { input: a.csv, password: '\${env:PW}', list: [{ token: abcd }, plain] }
`;

it("is what was deployed, with today's secrets where they belong", async () => {
  const then = await load(yaml, { env: { PW: 'hunter2' }, set: ['taskmanager.slots=3'] });
  const now = await load(yaml, { env: { PW: 'correct horse' } });
  const recorded = maskedConfig(then);
  expect(JSON.stringify(recorded)).not.toContain('hunter2');
  const today = now.parsed as unknown as JsonObject;
  const { config, missing } = restoreConfig(recorded, today, '/folder');
  expect(missing).toEqual([]);
  expect(config.taskmanager.slots).toBe(3);
  expect(config.application).toMatchObject({
    args: { input: 'a.csv', password: 'correct horse', list: [{ token: 'abcd' }, 'plain'] },
    entry: '/folder/app.ts',
  });
  expect([...config.application!.secretArgs].sort()).toEqual(
    [...now.config.application!.secretArgs].sort(),
  );
});

it('names the secrets that nobody knows today', async () => {
  const then = await load(yaml, { env: { PW: 'hunter2' } });
  const { missing } = restoreConfig(maskedConfig(then), null, '/');
  expect(missing).toEqual(['/application/args/password', '/application/args/list/0/token']);
});

it('takes defaults for keys that the version of the release did not have', async () => {
  const { retention: _later, ...recorded } = maskedConfig(await load('cluster: demo'));
  expect(restoreConfig(recorded, null, '/').config.retentionMs).toBe(86_400_000);
});

const json = fc.jsonValue({ maxDepth: 3 });

it('never takes anything else from today', async () => {
  const base = maskedConfig(await load('cluster: demo\napplication: { entry: ./app.ts }'));
  fc.assert(
    fc.property(fc.dictionary(fc.stringMatching(/^[a-z]{1,4}$/), json), json, (args, other) => {
      const recorded = {
        ...base,
        application: { ...(base['application'] as JsonObject), args: args as JsonObject },
      };
      const today = { application: { args: other as JsonObject } };
      const { config, missing } = restoreConfig(recorded, today, '/');
      // The schema takes neither for a value.
      fc.pre(!JSON.stringify(args).includes(MASK) && !JSON.stringify(args).includes('__proto__'));
      expect(missing).toEqual([]);
      expect(config.application!.args).toEqual(args);
    }),
  );
});

it('leaves out keys that this version does not have, wherever they are, and names them', async () => {
  const base = maskedConfig(await load('cluster: demo\napplication: { entry: ./app.ts }'));
  const recorded = {
    ...base,
    later: { a: 1 },
    taskmanager: { ...(base['taskmanager'] as JsonObject), removed: 'x' },
    providers: { ...(base['providers'] as JsonObject), mesos: { url: 'x' } },
    application: { ...(base['application'] as JsonObject), args: { mine: { later: 1 } } },
  };
  const { config, unknown } = restoreConfig(recorded, null, '/');
  expect([...unknown].sort()).toEqual(['/later', '/providers/mesos', '/taskmanager/removed']);
  expect(config.application!.args).toEqual({ mine: { later: 1 } });
});

it.each([
  [{ retention: 5 }, '/retention', 'must be text'],
  [{ mode: 'batch' }, '/mode', 'must be application, per-job or session'],
  [{ taskmanager: { slots: 'many', later: 1 } }, '/taskmanager/slots', 'must be a whole number'],
])('refuses values that it does not understand: %j', async (change, path, message) => {
  const recorded = { ...maskedConfig(await load('cluster: demo')), ...change };
  const restore = () => restoreConfig(recorded, null, '/');
  expect(restore).toThrow(ClusterError);
  expect(restore).toThrow(message);
  expect(restore).toThrow(
    expect.objectContaining({ exitCode: 8, problems: [expect.objectContaining({ path })] }),
  );
});

it('is what it was, whatever the arguments are and are called', async () => {
  const base = (await load('cluster: demo\napplication: { entry: ./app.ts }')).parsed;
  const key = fc.constantFrom('maxTokens', 'tokenizer', 'password', 'apiKey', 'credentials', 'a');
  const { args } = fc.letrec<{ args: JsonObject; value: JsonValue }>((tie) => ({
    args: fc.dictionary(key, tie('value')) as fc.Arbitrary<JsonObject>,
    value: fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom<JsonValue>(5, 0.5, true, false, null, MASK, 'hunter2', ''),
      fc.array(tie('value'), { maxLength: 3 }) as fc.Arbitrary<JsonValue>,
      tie('args') as fc.Arbitrary<JsonValue>,
    ),
  }));
  fc.assert(
    fc.property(args, (given) => {
      const application = { ...base.application!, args: given as Record<string, never> };
      const parsed = { ...base, application };
      const recorded = maskedConfig({ parsed, secrets: new Set() });
      expect(JSON.stringify(recorded)).not.toMatch(/"(password|apiKey)":("[^*]|\d)/);
      const { config, missing } = restoreConfig(recorded, parsed as unknown as JsonObject, '/');
      expect(missing).toEqual([]);
      expect(config.application!.args).toEqual(given);
    }),
  );
});

it('restores numbers and sections that are no secrets from the record itself', async () => {
  const args = '{ maxTokens: 5, tokenizer: { size: 512 } }';
  const then = await load(`cluster: demo\napplication: { entry: ./app.ts, args: ${args} }`);
  const { config, missing } = restoreConfig(maskedConfig(then), null, '/');
  expect(missing).toEqual([]);
  expect(config.application!.args).toEqual({ maxTokens: 5, tokenizer: { size: 512 } });
});
