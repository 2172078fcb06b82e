/** Secrets that mean something in JSON, or in what fctl says, break nothing and are shown nowhere. */
import { once } from 'node:events';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Answer, Project, imports } from './project.ts';

let project: Project;
beforeEach(async () => {
  project = await Project.create();
});
afterEach(() => project.remove());

const words = ['true', 'null', 'jobs', 'name', '1796', 'data', 'process', 'RUNNING', 'stable'];
const args = words.map((_, index) => `s${index}: "\${env:WORD_${index}}"`).join(', ');
const environment = Object.fromEntries(words.map((word, index) => [`WORD_${index}`, word]));

it('leaves answers of every verb what they are', async () => {
  await project.configure(`  args: { ${args}, pin: 17961796, dbPassword: 83746512 }`);
  await project.write(
    'src/app.ts',
    `${imports}
export const job = defineJob('demo', (env) => {
  env.fromSource(GeneratorSource.of({ count: 1e6, create: (i) => i, ratePerSecond: 10 })).sinkTo(DiscardSink.create());
});
export async function main(ctx) {
  console.log('has ' + Object.values(ctx.args).join('|'));
  if (ctx.args.dbPassword !== 83746512) throw new Error('not the number');
  await ctx.execute(job, {});
}`,
  );
  const answers = new Map<string, Answer['json']>();
  for (const line of [
    'config show',
    'plan',
    'deploy --detach',
    'deploy --detach --set taskmanager.replicas=2',
    'status',
    'list',
    'releases',
    'audit',
    'logs',
    'logs --out',
    'restart --role taskmanager',
    'rollback 1',
  ]) {
    const { exitCode, stdout, stderr } = await project.start(
      [...line.split(' '), '--json'],
      environment,
    );
    expect([line, exitCode, stderr]).toEqual([line, 0, expect.any(String)]);
    const json = JSON.parse(stdout) as Answer['json'];
    expect(json).toMatchObject({ ok: true, command: expect.any(String), errors: [] });
    expect(stdout + stderr).not.toContain('83746512');
    answers.set(line, json);
  }
  expect(answers.get('status')!.data).toMatchObject({
    clusterId: 'demo',
    state: 'RUNNING',
    outcome: null,
  });
  const printed = answers.get('logs --out')!.data.lines as { entry: string }[];
  const said = printed.map(({ entry }) => entry).find((entry) => entry.startsWith('has '));
  expect(said).toBe(
    `has ${words.map(() => '******').join('|')}|17961796|******`.replaceAll('1796', '******'),
  );
  const lines = answers.get('logs')!.data.lines as { entry: { time: string; level: string } }[];
  for (const { entry } of lines) expect(entry.time).toMatch(/^\d{4}-\d\d-\d\dT/);
});

it('are not in what exec prints, also in two parts', async () => {
  await project.configure('  args: { password: "${env:PW}" }');
  await project.write('src/app.ts', '');
  const secret = { PW: 'hunter2' };
  expect((await project.start(['session', 'start'], secret)).exitCode).toBe(0);
  const script = "printf 'it is hun'; read line; printf 'ter2, or hun'; printf %s \"$line\" >&2";
  const running = project.start(['exec', 'demo', 'jobmanager-0', '--', 'sh', '-c', script], secret);
  await once(running.stdout, 'data');
  running.stdin.end('and hunter2\n');
  expect(await running).toMatchObject({
    exitCode: 0,
    stdout: 'it is ******, or hun',
    stderr: 'and ******',
  });
});

it('may be in a bundle, which others cannot read', async () => {
  await project.write(
    'src/app.ts',
    `${imports} export const job = defineJob('demo', (env) => {
    env.fromSource(CollectionSource.of([1])).sinkTo(DiscardSink.create()); });`,
  );
  const cache = join(project.folder, 'cache');
  expect((await project.start(['compile'], { XDG_CACHE_HOME: cache })).exitCode).toBe(0);
  const bundles = join(cache, 'fctl/bundles');
  const [name] = await readdir(bundles);
  expect((await stat(join(bundles, name!))).mode & 0o777).toBe(0o600);
});
