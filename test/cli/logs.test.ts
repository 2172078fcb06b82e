/** Which lines of which processes `fctl logs` prints, and in which order. */
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Project, imports } from './project.ts';

let project: Project;
/** The latest start of the TaskManager. */
let startedAt: number;

const entry = (at: number, message: string, level = 'info') =>
  JSON.stringify({ time: new Date(at).toISOString(), level, message });

beforeAll(async () => {
  project = await Project.create();
  await project.write(
    'src/app.ts',
    `${imports} export const job = defineJob('demo', (env) => { env.fromSource(CollectionSource.of([1])).sinkTo(DiscardSink.create()); });`,
  );
  await project.run('deploy');
  const { json } = await project.run('status');
  const processes = json.data.processes as { name: string; startedAt: number }[];
  startedAt = processes.find(({ name }) => name === 'taskmanager-0')!.startedAt;
  // In place of what they wrote: times of both are known.
  const logs = join(project.home, 'clusters/demo/logs');
  const minute = 60_000;
  const write = (name: string, ...lines: string[]) =>
    writeFile(join(logs, `${name}.log`), `${lines.join('\n')}\n`);
  await write(
    'jobmanager-0',
    entry(startedAt - 10 * minute, 'first'),
    entry(startedAt + 2000, 'third'),
    '  at its stack',
    entry(startedAt + 4000, 'fifth', 'error'),
  );
  await write(
    'taskmanager-0',
    entry(startedAt - 5 * minute, 'second'),
    entry(startedAt + 3000, 'fourth', 'warn'),
    entry(startedAt + 5000, 'sixth'),
  );
});
afterAll(() => project.remove());

const messages = (lines: readonly { entry: { message: string } | string }[]) =>
  lines.map((line) => (typeof line.entry === 'string' ? line.entry.trim() : line.entry.message));

async function logs(...args: string[]) {
  const { exitCode, json } = await project.run('logs', ...args);
  expect(json.errors).toEqual([]);
  expect(exitCode).toBe(0);
  return messages(json.data.lines).join(' ');
}

describe('logs', () => {
  it('are merged by time, and lines that tell no time stay where they are', async () => {
    expect(await logs()).toBe('first second third at its stack fourth fifth sixth');
    const { stdout } = await project.start(['logs']);
    expect(stdout.split('\n').map((text) => text.split(' ')[0])).toEqual([
      'jobmanager-0',
      'taskmanager-0',
      'jobmanager-0',
      'jobmanager-0',
      'taskmanager-0',
      'jobmanager-0',
      'taskmanager-0',
    ]);
  });

  it.each([
    [['--grep', 'th$'], 'fourth fifth sixth'],
    [['--grep', 'fi'], 'first fifth'],
    [['--level', 'warn'], 'at its stack fourth fifth'],
    [['-n', '1'], 'fifth sixth'],
    // Of the lines that are left, not of all.
    [['-n', '1', '--grep', 'ir'], 'third'],
    [['jobmanager-0', '-n', '2', '--level', 'info'], 'at its stack fifth'],
  ])('%j: %s', async (args, expected) => {
    expect(await logs(...args)).toBe(expected);
  });

  it('since and until a time', async () => {
    const at = (ms: number) => new Date(startedAt + ms).toISOString();
    expect(await logs('--since', at(3000))).toBe('fourth fifth sixth');
    expect(await logs('--until', at(3000))).toBe('first second third at its stack fourth');
    expect(await logs('--since', at(-6 * 60_000), '--until', at(0))).toBe('second');
    expect(await logs('--since', '20m')).toContain('first');
  });

  it('of before the latest start', async () => {
    expect(await logs('taskmanager-0', '--previous')).toBe('second');
    expect(await logs('--previous')).toBe('first second');
  });

  it('with times of here, or as they are', async () => {
    const { stdout } = await project.start(['logs', '-n', '1', 'taskmanager-0'], {
      TZ: 'Asia/Tokyo',
    });
    const local = new Date(startedAt + 5000 + 9 * 3_600_000).toISOString();
    expect(stdout).toContain(local.slice(0, 23).replace('T', ' '));
    const exact = await project.start(['logs', '-n', '1', 'taskmanager-0', '--timestamps']);
    expect(exact.stdout).toContain(new Date(startedAt + 5000).toISOString());
  });

  it('follow in the order of time, too', async () => {
    const following = project.start(['logs', '-f', '--json']);
    await once(following.stdout, 'data');
    const { stdout } = await following;
    const lines = stdout.split('\n').map((text) => (JSON.parse(text) as { data: never }).data);
    expect(messages(lines).join(' ')).toBe('first second third at its stack fourth fifth sixth');
  });

  it.each([
    [['--since', 'yesterday'], 'not-a-time'],
    [['--grep', '('], 'not-a-pattern'],
    [['--level', 'loud'], 'unknown-level'],
    [['-f', '--until', '1m'], 'option-ignored'],
    [['-f', '--previous'], 'option-ignored'],
    [['--out', '--since', '1m'], 'option-ignored'],
    [['--out', '--timestamps'], 'option-ignored'],
  ])('are refused with %j', async (args, code) => {
    const { exitCode, json } = await project.run('logs', ...args);
    expect([exitCode, json.errors[0]!.code]).toEqual([2, code]);
  });
});
