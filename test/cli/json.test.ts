/** With `--json` every verb has one document of the documented shape on stdout, and nothing else. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { verbs } from '../../src/cli/verbs.ts';
import { Project, eventually, imports } from './project.ts';

/** In this order: what one of them starts, later ones look at and end. */
const calls: readonly (readonly [verb: string, args: readonly string[], exitCode: number])[] = [
  ['init', ['new'], 0],
  ['init', ['new'], 8],
  ['config show', [], 0],
  ['config validate', [], 0],
  ['config validate', ['--set', 'taskmanager.slotz=2'], 3],
  ['config schema', [], 0],
  ['completion', ['bash'], 0],
  ['compile', [], 0],
  ['compile', ['--format', 'mermaid'], 0],
  ['compile', ['--format', 'schema'], 0],
  ['plan', [], 0],
  ['deploy', ['--dry-run'], 0],
  ['status', [], 7],
  ['deploy', [], 0],
  ['jobs list', [], 0],
  ['jobs show', [], 0],
  ['jobs exceptions', [], 0],
  ['jobs metrics', [], 0],
  ['version', ['demo'], 0],
  ['explain', ['taskmanager.slots'], 0],
  ['diff', ['1', '1'], 0],
  ['attach', [], 0],
  ['wait', [], 0],
  ['list', [], 0],
  ['status', [], 0],
  ['logs', [], 0],
  ['logs', ['demo', 'jobmanager-0', '--out'], 0],
  ['cancel', [], 8],
  ['bundle', [], 0],
  ['releases', [], 0],
  ['audit', [], 0],
  ['rollback', [], 7],
  ['session start', ['many'], 0],
  ['session list', [], 0],
  ['session status', ['many'], 0],
  ['session scale', ['many', '--taskmanagers', '2'], 0],
  ['scale', ['many', '--taskmanagers', '1'], 0],
  ['restart', ['many', 'taskmanager-0'], 0],
  ['exec', ['many', 'taskmanager-0', '--', 'pwd'], 0],
  ['lock status', ['many'], 0],
  ['lock release', ['many', '--yes'], 0],
  ['session submit', ['./src/app.ts', '--cluster', 'many'], 0],
  ['metrics list', [], 0],
  ['proxy', ['many', '--timeout', '5s'], 124],
  ['ui', ['many'], 2],
  ['destroy', ['many'], 2],
  ['session stop', ['many'], 0],
  ['destroy', ['demo'], 0],
  ['context add', ['box', '--provider', 'local'], 0],
  ['context list', [], 0],
  ['context use', ['box'], 0],
  ['context remove', ['box'], 0],
  ['doctor', [], 0],
  ['prune', ['--yes'], 0],
];

let project: Project;
beforeAll(async () => {
  project = await Project.create();
  await project.write(
    'src/app.ts',
    `${imports}
export const job = defineJob('demo', (env) => {
  env.fromSource(CollectionSource.of([1])).sinkTo(DiscardSink.create());
});`,
  );
});
afterAll(async () => {
  await project.start(['destroy', 'many', '--yes']);
  await project.remove();
});

it.each(calls)('fctl %s %j', async (verb, args, code) => {
  const { exitCode, stdout } = await project.start([...verb.split(' '), '--json', ...args]);
  expect(exitCode).toBe(code);
  const document = JSON.parse(stdout) as { ok: boolean; data: unknown; errors: object[] };
  expect(Object.keys(document)).toEqual(['ok', 'command', 'data', 'errors']);
  // What a proxy answers it answers before its time is over.
  const ok = code === 0 || verb === 'proxy';
  expect(document).toMatchObject({ ok, command: verb });
  expect(document.errors.length === 0).toBe(ok);
  if (ok) expect(document.data).not.toBeNull();
  for (const error of document.errors) {
    expect(Object.keys(error)).toEqual([
      'code',
      'message',
      'path',
      'file',
      'line',
      'column',
      'hint',
    ]);
  }
});

it('leaves no verb out, and nothing running', async () => {
  expect(new Set(calls.map(([verb]) => verb))).toEqual(new Set(verbs.map(({ name }) => name)));
  await eventually(() => project.running().length === 0);
});
