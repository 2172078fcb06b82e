import { expect, it, onTestFinished } from 'vitest';
import { metricRows, shownName } from '../../src/contract/metrics/table.ts';
import { imports, Project } from './project.ts';

it('fctl metrics list explains every metric, without a cluster or a project', async () => {
  const project = await Project.create();
  onTestFinished(() => project.remove());
  const { json } = await project.run('metrics', 'list');
  const { metrics } = (json as { data: { metrics: { name: string; help: string }[] } }).data;
  for (const { flink, help } of metricRows) {
    for (const metric of flink) {
      expect(metrics).toContainEqual(expect.objectContaining({ name: shownName(metric), help }));
    }
  }
  const names = (await project.start(['metrics', 'list', '-o', 'name'])).stdout.split('\n');
  expect(names).toEqual(metrics.map(({ name }) => name));
  const text = (await project.start(['metrics', 'ls'])).stdout;
  expect(text).toContain('numLateRecordsDropped');
});

it('every process of a cluster answers Prometheus', async () => {
  const project = await Project.create();
  onTestFinished(() => project.remove());
  await project.write(
    'src/app.ts',
    `${imports} export const job = defineJob('endless', (env) => {
  env.fromSource(GeneratorSource.of({ create: (i) => i, ratePerSecond: 100 })).sinkTo(DiscardSink.create());
});`,
  );
  const from = 20_000 + (process.pid % 200) * 50;
  await project.configure(
    `metrics: { reporters: [{ type: prometheus, range: ${from}-${from + 49} }] }`,
  );
  expect((await project.run('deploy', '--detach')).exitCode).toBe(0);
  const read = async () => {
    const ports = Array.from({ length: 50 }, (_, index) => from + index);
    const texts = await Promise.all(
      ports.map((port) =>
        fetch(`http://127.0.0.1:${port}/metrics`)
          .then((answer) => answer.text())
          .catch(() => ''),
      ),
    );
    return texts.join('');
  };
  await expect.poll(read, { timeout: 30_000 }).toMatch(/_task_numRecordsIn\{.*\} [1-9]/);
  const text = await read();
  expect(text).toMatch(/^flink_jobmanager_job_uptime\{.*job_name="endless"\} \d+$/m);
  expect(text).toMatch(/^flink_jobmanager_numRunningJobs\{.*\} 1$/m);
  expect((await project.run('cancel', '--yes')).exitCode).toBe(0);
});
