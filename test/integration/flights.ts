/** examples/flights by the built CLI, whatever the provider. */
import { copyFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { expect } from 'vitest';
import { Project } from '../cli/project.ts';

const root = resolve(import.meta.dirname, '../..');
export const parquet = join(root, 'node_modules/vega-datasets/data/flights-3m.parquet');

export async function createFlights(): Promise<Project> {
  const project = await Project.create({ timeoutMs: 600_000 });
  await project.write('src/keep', '');
  await copyFile(join(root, 'examples/flights/app.ts'), join(project.folder, 'src/app.ts'));
  return project;
}

export async function removeFlights(project: Project): Promise<void> {
  const { data } = (await project.run('list')).json;
  for (const { clusterId } of data.clusters as readonly { clusterId: string }[])
    await project.run('destroy', clusterId, '--yes');
  await project.remove();
}

/** Runs them in the mode that is configured; a session stays. */
export async function runFlights(project: Project, mode: string): Promise<void> {
  const verbs =
    mode === 'session'
      ? [
          ['session', 'start'],
          ['session', 'submit'],
        ]
      : [['deploy']];
  for (const verb of verbs) {
    const { json } = await project.run(...verb, '--timeout', '10m');
    expect(json.errors).toEqual([]);
  }
}
