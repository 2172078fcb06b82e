import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import { Redactor } from '../../../src/contract/secrets.ts';
import { DocumentName } from '../../../src/record/documents.ts';
import { readDocument } from '../../../src/record/record.ts';
import { openRecord } from '../../../src/runtime/ha/record.ts';

it('keeps no secret of what jobs said, and an endpoint that can be reached', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'fctl-record-'));
  try {
    const record = openRecord(
      pathToFileURL(folder).href as `file:${string}`,
      new Redactor(['8081', 'true', 'jobs']),
    );
    const endpoint = { epoch: 8081, rest: 'http://127.0.0.1:8081', leads: true };
    await record.write(DocumentName.endpoint, endpoint, null);
    expect((await readDocument(record, DocumentName.endpoint)).value).toEqual(endpoint);
    const jobs = { jobs: [{ name: 'my jobs', stateful: true, at: 8081 }] };
    await record.write(DocumentName.jobs, jobs, null);
    const masked = { jobs: [{ name: 'my ******', stateful: true, at: 8081 }] };
    expect((await readDocument(record, DocumentName.jobs)).value).toEqual(masked);
  } finally {
    await rm(folder, { recursive: true });
  }
});
