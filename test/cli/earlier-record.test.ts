/** A cluster whose record an earlier fctl wrote: every verb that looks at it, ends it or removes it works. */
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { DocumentName } from '../../src/record/documents.ts';
import { createFileStore } from '../../src/record/drivers/file.ts';
import { Project } from './project.ts';

const fixture = fileURLToPath(new URL('../record/fixtures/v1', import.meta.url));

let project: Project;
beforeEach(async () => {
  project = await Project.create();
  await cp(fixture, join(project.home, 'clusters/flights/record'), { recursive: true });
});
afterEach(() => project.remove());

const run = (...args: string[]) => project.run(...args);
const code = async (...args: string[]) => (await run(...args)).exitCode;

it('is shown with all that its record says', async () => {
  const { clusters } = (await run('list')).json.data;
  expect(clusters).toMatchObject([{ clusterId: 'flights', mode: 'application' }]);
  const { cluster, release } = (await run('status', 'flights')).json.data;
  expect(cluster).toMatchObject({ fctlVersion: '0.1.0', mode: 'application' });
  expect(release).toMatchObject({ number: 2, release: 'r2aaaa', status: 'stable' });
  const { releases } = (await run('releases', 'flights')).json.data;
  expect(releases).toMatchObject([{ number: 2 }, { number: 1 }]);
  const { entries } = (await run('audit', 'flights')).json.data;
  expect(entries).toMatchObject([{ by: 'ann@laptop/41', result: 'succeeded' }]);
  expect((await run('lock', 'status', 'flights')).json.data).toMatchObject({ held: false });
  expect((await run('logs', 'flights')).json.data.lines).toEqual([]);
});

it('is cancelled, restarted and ended only where something runs, and says so', async () => {
  const said = async (...args: string[]) => {
    const { exitCode, json } = await run(...args);
    return [exitCode, json.errors.map((error) => error.code)];
  };
  expect(await said('cancel', 'flights')).toEqual([8, ['not-running']]);
  expect(await said('restart', 'flights')).toEqual([8, ['not-running']]);
  expect(await code('logs', 'flights', 'jobmanager-0')).toBe(7);
});

it('is destroyed', async () => {
  expect(await code('destroy', 'flights', '--yes')).toBe(0);
  expect((await run('list')).json.data.clusters).toEqual([]);
});

it('is not destroyed while its holder, of that format too, renews its lock', async () => {
  const store = createFileStore(join(project.home, 'clusters/flights/record'));
  const found = (await store.read([DocumentName.lock])).get(DocumentName.lock)!;
  const renewed = { ...(found.value as object), released: false };
  await store.write(DocumentName.lock, renewed, found.version);
  const { exitCode, json } = await run('destroy', 'flights', '--yes', '--lock-wait', '1s');
  expect(exitCode).toBe(8);
  expect(json.errors[0]!.message).toContain('locked by ann@laptop/41');
  expect((await run('list')).json.data.clusters).toHaveLength(1);
});
