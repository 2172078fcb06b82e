/** `fctl compile` of applications with a main() that makes the arguments of its jobs. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Project, imports } from './project.ts';

let project: Project;
beforeEach(async () => {
  project = await Project.create();
  await project.configure('  args: { output: ./out }');
});
afterEach(() => project.remove());

const jobs = `${imports}
const make = (name) => defineJob(name, { args: types.record({ to: types.string }) }, (env, { to }) => {
  env.fromSource(CollectionSource.of([to])).sinkTo(DiscardSink.create());
});
export const first = make('first');
export const second = make('second');
`;

const inOrder = `${jobs}
export async function main(ctx) {
  await ctx.execute(first, { to: ctx.args.output + '/first' });
  await ctx.execute(second, { to: ctx.args.output + '/second' });
}`;

interface Compiled {
  readonly graphs: readonly { readonly name: string; readonly code: { readonly args: object } }[];
}

async function compiled(...args: string[]) {
  const { exitCode, json } = await project.run('compile', ...args);
  expect(exitCode).toBe(0);
  return (json.data as Compiled).graphs.map(({ code, name }) => [name, code.args]);
}

it('prints what main() would execute, or of that one job', async () => {
  await project.write('src/app.ts', inOrder);
  expect(await compiled()).toEqual([
    ['first', { to: './out/first' }],
    ['second', { to: './out/second' }],
  ]);
  expect(await compiled('--job', 'second')).toEqual([['second', { to: './out/second' }]]);
  expect(await compiled('--args', '{"output":"x"}')).toEqual([
    ['first', { to: 'x/first' }],
    ['second', { to: 'x/second' }],
  ]);
  expect(await compiled('--job', 'first', '--args', '{"to":5}')).toEqual([['first', { to: '5' }]]);
});

it.each([
  [
    'fails',
    "throw new Error('no such day')",
    [],
    'main() failed before it executed a job: no such day',
    'first',
  ],
  ['executes nothing', '', [], 'main() executes no job with these arguments', 'first'],
  [
    'leaves the job out',
    "await ctx.execute(first, { to: 'x' })",
    ['--job', 'second'],
    "main() executes no job 'second'",
    'second',
  ],
])('says what to give when main() %s', async (_what, body, args, message, job) => {
  await project.write('src/app.ts', `${jobs}\nexport async function main(ctx) { ${body} }`);
  const { exitCode, stderr } = await project.run('compile', ...args);
  expect(exitCode).toBe(3);
  expect(stderr).toContain(message);
  expect(stderr).toContain(`--job ${job} --args '{…}'`);
});
