/** Apache Flink's own scripts: standalone application mode, and a session cluster. */
import { FlinkCluster } from '../../test/rigs/flink/cluster.ts';
import { type Subject, memoryOf, settle, timeUntil } from './subject.ts';

export const flinkSubject: Subject = {
  name: 'Flink',
  async runTinyJob() {
    const start = performance.now();
    const cluster = await FlinkCluster.launch({
      application: ['name', 'tiny', 'count', '100', 'rate', '0', 'sink', 'print'],
    });
    try {
      const [finishedMs, firstMs] = await Promise.all([
        cluster.ended().then(() => performance.now() - start),
        timeUntil(start, () => cluster.output('taskexecutor') !== ''),
      ]);
      return { firstMs, finishedMs };
    } finally {
      await cluster.stop();
    }
  },
  async idle() {
    const start = performance.now();
    const cluster = await FlinkCluster.start();
    try {
      const startMs = performance.now() - start;
      await settle();
      const [jobManagerMiB, taskManagerMiB] = cluster.pids.map(memoryOf) as [number, number];
      return { startMs, jobManagerMiB, taskManagerMiB };
    } finally {
      await cluster.stop();
    }
  },
};
