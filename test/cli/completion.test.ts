/** What the shell offers, asked as the shell asks. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { verbs } from '../../src/cli/verbs.ts';
import { Project } from './project.ts';

let project: Project;
let script: string;
beforeAll(async () => {
  project = await Project.create();
  ({ stdout: script } = await project.start(['completion', 'bash']));
});
afterAll(() => project.remove());

/** What bash offers for the last word, which may be empty. */
async function offered(...words: readonly string[]): Promise<string[]> {
  const ask = 'COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _fctl; printf "%s\\n" "${COMPREPLY[@]}"';
  const run = promisify(execFile);
  const { stdout } = await run('bash', ['-c', `${script}\n${ask}`, 'bash', 'fctl', ...words]);
  return stdout.split('\n').filter((word) => word !== '');
}

describe('bash', () => {
  it('is offered every verb', async () => {
    const firsts = new Set(verbs.map(({ name }) => name.split(' ')[0]));
    expect(new Set(await offered(''))).toEqual(firsts);
    expect(await offered('de')).toEqual(['deploy', 'destroy']);
    expect(await offered('config', '')).toEqual(['show', 'validate', 'schema']);
    expect(await offered('session', 's')).toEqual(['start', 'submit', 'status', 'scale', 'stop']);
  });

  it('is offered the options of a verb, wherever the verb stands', async () => {
    expect(await offered('deploy', '--de')).toEqual(['--detach']);
    expect(await offered('session', 'stop', '--ca')).toEqual(['--cancel']);
    expect(await offered('session', 'stop', 'demo', '--ca')).toEqual(['--cancel']);
    expect(await offered('status', 'demo', '--wa')).toEqual(['--watch']);
    expect(await offered('--config', 'deploy.yaml', 'list', '--q')).toEqual(['--quiet']);
    expect(await offered('-D', 'a', '=', 'b', 'list', '--q')).toEqual(['--quiet']);
    expect(await offered('list', '--he')).toEqual(['--help']);
  });

  it('is left to offer files as the values of options', async () => {
    expect(await offered('deploy', '--config', '')).toEqual([]);
    expect(await offered('deploy', '--config', '=', '')).toEqual([]);
  });
});

it.each(['zsh', 'fish'])('offers every verb to %s', async (shell) => {
  const { stdout } = await project.start(['completion', shell]);
  const words = new Set(stdout.split(/[\s"']+/));
  for (const { name } of verbs) for (const word of name.split(' ')) expect(words).toContain(word);
});

it('knows no other shell', async () => {
  const { exitCode, json } = await project.run('completion', 'tcsh');
  expect([exitCode, json.errors[0]!.code]).toEqual([2, 'unknown-shell']);
});
