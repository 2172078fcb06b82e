/** A Web UI of a cluster, in a browser that only writes down what it is to show. */
import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Project, eventually, imports } from './project.ts';

let project: Project;
beforeEach(async () => {
  project = await Project.create();
});
afterEach(() => project.remove());

it('is served with the token added, and opened in the browser', async () => {
  await project.write(
    'src/app.ts',
    `${imports} export const job = defineJob('demo', (env) => { env.fromSource(GeneratorSource.of({ create: (i) => i, ratePerSecond: 10 })).sinkTo(DiscardSink.create()); });`,
  );
  await project.write('web/index.html', 'a page');
  for (const name of ['xdg-open', 'open']) {
    await project.write(`bin/${name}`, `#!/bin/sh\necho "$1" >> '${project.folder}/opened'\n`);
    await chmod(join(project.folder, 'bin', name), 0o755);
  }
  expect((await project.run('deploy', '--detach')).exitCode).toBe(0);
  const missing = await project.run('ui');
  expect([missing.exitCode, missing.json.errors[0]!.code]).toEqual([2, 'ui-missing']);

  const path = `${join(project.folder, 'bin')}:${process.env['PATH']}`;
  const environment = { PATH: path, FCTL_UI: join(project.folder, 'web') };
  const serving = project.start(['ui', '--json'], environment);
  await eventually(() => project.lines('opened').length > 0);
  const [url] = project.lines('opened');
  expect(await (await fetch(url!)).text()).toBe('a page');
  expect((await fetch(`${url}/jobs/overview`)).status).toBe(200);
  serving.kill('SIGINT');
  expect((await serving).exitCode).toBe(0);
});
