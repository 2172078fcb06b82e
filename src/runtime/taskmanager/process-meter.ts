/** What the whole process uses. */
import type { TaskManagerReport } from '../rpc/protocol.ts';

export class ProcessMeter {
  private lastCpu = process.cpuUsage();
  private lastTime = performance.now();

  /** CPU load is the mean since the call before. */
  measure(): TaskManagerReport['process'] {
    const { rss, heapUsed, heapTotal, external } = process.memoryUsage();
    const cpu = process.cpuUsage();
    const time = performance.now();
    const usedMs = (cpu.user + cpu.system - this.lastCpu.user - this.lastCpu.system) / 1000;
    const elapsedMs = time - this.lastTime;
    this.lastCpu = cpu;
    this.lastTime = time;
    return {
      rssBytes: rss,
      heapUsedBytes: heapUsed,
      heapTotalBytes: heapTotal,
      externalBytes: external,
      cpuLoad: elapsedMs > 0 ? usedMs / elapsedMs : 0,
    };
  }
}
