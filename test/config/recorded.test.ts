/** The config of an earlier release: the same as it was, with today's secrets. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { restoreConfig } from '../../src/config/recorded.ts';
import { maskedConfig } from '../../src/config/show.ts';
import type { JsonObject } from '../../src/contract/json.ts';
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
