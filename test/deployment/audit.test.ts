import { expect, it } from 'vitest';
import { ClusterError, problem } from '../../src/contract/errors.ts';
import { ExitCode } from '../../src/contract/exit-codes.ts';
import { Redactor } from '../../src/contract/secrets.ts';
import { beginAudit, readAudit } from '../../src/deployment/audit.ts';
import { MemoryStore } from '../../src/record/drivers/memory.ts';

it('keeps no secret of an error, also where its message is cut', async () => {
  const store = new MemoryStore();
  const entry = await beginAudit(store, 'deploy', null, new Redactor(['hunter2']));
  const message = `${'x'.repeat(495)}hunter2 refused`;
  const error = new ClusterError(ExitCode.conflict, problem({ code: 'x', message }));
  await entry.failed(error, new AbortController().signal);
  const [written] = await readAudit(store);
  expect(written).toMatchObject({ action: 'deploy', result: 'refused' });
  expect(written!.message).toBe(`${'x'.repeat(495)}*****`);
});
