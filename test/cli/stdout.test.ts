/** stdout is for results, whatever the user's own code prints while fctl runs it. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Project, imports } from './project.ts';

const app = `${imports}
console.log('module log');
console.error('module error');
process.stdout.write('module write\\n');
export const job = defineJob('demo', (env) => {
  console.log('builder');
  env.fromSource(CollectionSource.of([1])).sinkTo(DiscardSink.create());
});
export async function main(ctx) {
  console.log('main');
  await ctx.execute(job);
}`;

let project: Project;
beforeEach(async () => {
  project = await Project.create();
  await project.write('src/app.ts', app);
  await rm(join(project.folder, 'fctl.config.yaml'));
  await project.write(
    'fctl.config.ts',
    "console.log('config'); export default { cluster: 'demo', application: { entry: './src/app.ts' } };",
  );
});
afterEach(() => project.remove());

it.each([
  [['config', 'validate'], ['config']],
  [['compile'], ['config', 'module log', 'module error', 'module write', 'main', 'builder']],
  [['plan'], ['config', 'module log', 'module error', 'module write']],
  [
    ['deploy', '--mode', 'per-job'],
    ['config', 'module log', 'module error', 'module write', 'main', 'builder'],
  ],
])('of %j is one document; what was printed is on stderr', async (args, printed) => {
  const { exitCode, json, stderr } = await project.run(...args);
  expect([exitCode, json.ok]).toEqual([0, true]);
  for (const text of printed) expect(stderr.split('\n')).toContain(text);
});

it('says that a top-level await waits for ever', async () => {
  await project.write('src/app.ts', `${app}\nawait new Promise(() => {});`);
  const { exitCode, json, stderr } = await project.run('plan');
  expect(exitCode).toBe(3);
  expect(json.errors[0]!.message).toContain('its top-level await waits for ever');
  expect(stderr).not.toContain('inspect');
});
