/** Apache Flink's session cluster; the jar is uploaded once and run by REST, as its Web UI does. */
import { FlinkCluster } from '../../test/rigs/flink/cluster.ts';
import type { SessionSubject } from './subject.ts';

export const flinkSubject: SessionSubject = {
  name: 'Flink',
  async start(taskManagers, slots) {
    const cluster = await FlinkCluster.start({
      taskManagers,
      slots,
      // As shipped it has no room for so many slots: classes of each job, and buffers.
      config: {
        'taskmanager.memory.process.size': '4g',
        'taskmanager.memory.jvm-metaspace.size': '1g',
        'taskmanager.memory.managed.fraction': 0.1,
        // On a busy machine jobs would fail that take longer than 10 seconds to start.
        'taskmanager.slot.timeout': '2 min',
        'pekko.ask.timeout': '1 min',
      },
    });
    try {
      const jar = await cluster.upload();
      const [jobManager, ...others] = cluster.pids;
      return {
        client: cluster.client,
        jobManager: [jobManager!],
        taskManagers: others,
        submit: ({ name, count, rate }) =>
          cluster.run(jar, 'name', name, 'count', String(count), 'rate', String(rate)),
        stop: () => cluster.stop(),
      };
    } catch (error) {
      await cluster.stop();
      throw error;
    }
  },
};
