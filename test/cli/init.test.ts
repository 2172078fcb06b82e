/** A new project, from `init` to its first result. */
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Project } from './project.ts';

let project: Project;
beforeEach(async () => {
  project = await Project.create();
});
afterEach(() => project.remove());

it('scaffolds a project that deploys as it is, and never changes a file that is there', async () => {
  const made = await project.run('init', 'new');
  expect(made.exitCode).toBe(0);
  expect(made.json.data.files).toContain('fctl.config.yaml');
  const config = join(project.folder, 'new/fctl.config.yaml');
  const deployed = await project.run('deploy', '--config', config);
  expect(deployed.exitCode).toBe(0);
  const output = join(project.folder, 'new/out');
  const parts = await Promise.all(
    (await readdir(output)).map((name) => readFile(join(output, name), 'utf8')),
  );
  expect(parts.join('')).toContain('the,8\n');
  expect((await project.run('destroy', 'word-count', '--yes')).exitCode).toBe(0);

  const again = await project.run('init', 'new');
  expect(again.exitCode).toBe(8);
  expect(again.json.errors.map((e) => e.code)).toContain('file-exists');
  expect((await project.run('init', '--template', 'nope')).exitCode).toBe(2);
  const onto = await project.run('init', 'fctl.config.yaml');
  expect(onto.exitCode).toBe(2);
  expect(onto.json.errors[0]).toMatchObject({ code: 'folder-not-writable' });
});
