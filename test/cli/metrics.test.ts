import { expect, it, onTestFinished } from 'vitest';
import { metricRows, shownName } from '../../src/contract/metrics/table.ts';
import { Project } from './project.ts';

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
