/** Readers that go away before the command has ended, and disks that are full. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Project, eventually, imports } from './project.ts';

let project: Project;
beforeEach(async () => {
  project = await Project.create();
});
afterEach(async () => {
  await eventually(() => project.running().length === 0);
  await project.remove();
});

it('ends quietly when nobody reads the results', async () => {
  const help = project.start(['--help']);
  help.stdout!.destroy();
  expect(await help).toMatchObject({ exitCode: 0, stderr: '' });
  const failed = project.start(['status', 'nobody', '--json']);
  failed.stdout!.destroy();
  expect((await failed).exitCode).toBe(7);
});

it('deploys although nobody reads the progress', async () => {
  await project.write(
    'src/app.ts',
    `${imports}
export const job = defineJob('one', (env) => {
  env.fromSource(CollectionSource.of([1])).sinkTo(DiscardSink.create());
});`,
  );
  const deploy = project.start(['deploy']);
  deploy.stderr!.destroy();
  const { exitCode, stdout } = await deploy;
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/^SUCCEEDED after /);
});

describe.skipIf(!existsSync('/dev/full'))('a disk that is full', () => {
  const launcher = resolve(import.meta.dirname, '../../bin/fctl.js');
  const run = (args: string, redirected: string) =>
    execa('sh', ['-c', `"${process.execPath}" "${launcher}" ${args} ${redirected}`], {
      cwd: project.folder,
      env: { FCTL_HOME: project.home, NO_COLOR: '1' },
      reject: false,
    });

  it.each(['--help', 'list', 'list --json', 'config show', 'config schema', 'logs nobody --json'])(
    "is named when it cannot take the results of '%s'",
    async (args) => {
      expect(await run(args, '>/dev/full')).toMatchObject({
        exitCode: 74,
        stderr: expect.stringMatching(
          /^(error there is no cluster .*\n.*\n)?error the results could not be written to stdout: ENOSPC: .*$/,
        ),
      });
    },
  );

  it.each([
    ['list', 0, /^No clusters/],
    ['status nobody', 7, /^$/],
    ['nonsense', 2, /^$/],
  ])("takes no progress of '%s', which makes no difference", async (args, exitCode, stdout) => {
    const ran = await run(args, '2>/dev/full');
    expect(ran.exitCode).toBe(exitCode);
    expect(ran.stdout).toMatch(stdout);
  });
});

it('shows what an application names, throws and prints, and lets it do nothing to a terminal', async () => {
  const nasty = 'a\u001b]0;title\u0007\u001b[2Jb\rc\u202ed';
  const shown = 'a\\x1b]0;title\\x07\\x1b[2Jb\\rc\\u202ed';
  await project.write(
    'src/app.ts',
    `${imports}
export const job = defineJob('one', (env) => {
  env.fromSource(CollectionSource.of([1])).map(() => { throw new Error(${JSON.stringify(nasty)}); })
    .name(${JSON.stringify(`${nasty}\nnext`)}).sinkTo(DiscardSink.create());
});`,
  );
  const compiled = await project.start(['compile']);
  expect(compiled.stdout).toContain(`${shown}\\nnext`);
  const deployed = await project.start(['deploy']);
  expect(deployed.exitCode).toBe(6);
  const logs = await project.start(['logs']);
  for (const text of [compiled.stdout, deployed.stdout, deployed.stderr])
    // oxlint-disable-next-line no-control-regex
    expect(text).not.toMatch(/[\u0000-\u0008\r\u001b\u202e]/);
  expect(deployed.stderr).toContain(shown);
  expect(logs.stdout).toContain('title');
  const terminal = project.terminal('logs');
  await terminal.shows(/title\\x07/);
  expect(await terminal.ended).toBe(0);
});
