/**
 * The metrics of processes, with the names that Flink has for a JVM, and those of a JobManager alone. A metric is
 * one row here, and the place that measures it.
 *
 *     Heap      the JavaScript heap of the main thread
 *     Direct    buffers and strings outside of it
 *     NonHeap   the rest of what the process occupies: code, heaps of the slots, the runtime itself
 */
import type { FixedMetric, MetricRow } from './metric.ts';

const processTable = [
  {
    name: 'rssBytes',
    scope: 'process',
    kind: 'gauge',
    unit: 'bytes',
    over: 'sum',
    flink: [{ name: 'Status.Node.Memory.Resident', as: 'long', isOwn: true }],
    help: 'What the process occupies of the memory of its machine.',
  },
  {
    name: 'heapUsedBytes',
    scope: 'process',
    kind: 'gauge',
    unit: 'bytes',
    over: 'sum',
    flink: [{ name: 'Status.JVM.Memory.Heap.Used', as: 'long' }],
    help: 'Used of the JavaScript heap of the main thread.',
  },
  {
    name: 'heapTotalBytes',
    scope: 'process',
    kind: 'gauge',
    unit: 'bytes',
    over: 'sum',
    flink: [{ name: 'Status.JVM.Memory.Heap.Committed', as: 'long' }],
    help: 'Size of the JavaScript heap of the main thread.',
  },
  {
    name: 'heapLimitBytes',
    scope: 'process',
    kind: 'gauge',
    unit: 'bytes',
    over: 'sum',
    flink: [{ name: 'Status.JVM.Memory.Heap.Max', as: 'long' }],
    help: 'To what the heap may grow; of a TaskManager, the memory that it was given.',
  },
  {
    name: 'nonHeapBytes',
    scope: 'process',
    kind: 'gauge',
    unit: 'bytes',
    over: 'sum',
    flink: [
      { name: 'Status.JVM.Memory.NonHeap.Used', as: 'long' },
      { name: 'Status.JVM.Memory.NonHeap.Committed', as: 'long' },
    ],
    help: 'What is neither heap of the main thread nor buffers: code, heaps of the slots, the runtime itself.',
  },
  {
    name: 'externalBytes',
    scope: 'process',
    kind: 'gauge',
    unit: 'bytes',
    over: 'sum',
    flink: [
      { name: 'Status.JVM.Memory.Direct.MemoryUsed', as: 'long' },
      { name: 'Status.JVM.Memory.Direct.TotalCapacity', as: 'long' },
    ],
    help: 'Outside of the heap, owned by JavaScript: buffers, mostly.',
  },
  {
    name: 'cpuLoad',
    scope: 'process',
    kind: 'gauge',
    unit: 'number',
    over: 'sum',
    flink: [{ name: 'Status.JVM.CPU.Load', as: 'double' }],
    help: 'Share of all cores of the machine that the process has used lately, 0 to 1.',
  },
  {
    name: 'cpuMs',
    scope: 'process',
    kind: 'counter',
    unit: 'ms',
    over: 'sum',
    flink: [{ name: 'Status.JVM.CPU.Time', as: 'long', factor: 1e6 }],
    help: 'CPU time since the process started; in nanoseconds under the name of Flink.',
  },
  {
    name: 'gcCount',
    scope: 'process',
    kind: 'counter',
    unit: 'number',
    over: 'sum',
    flink: [{ name: 'Status.JVM.GarbageCollector.All.Count', as: 'long' }],
    help: 'Garbage collections of the main thread since the process started.',
  },
  {
    name: 'gcMs',
    scope: 'process',
    kind: 'counter',
    unit: 'ms',
    over: 'sum',
    flink: [{ name: 'Status.JVM.GarbageCollector.All.Time', as: 'long' }],
    help: 'Time that they took.',
  },
  {
    name: 'gcMsPerSecond',
    scope: 'process',
    kind: 'gauge',
    unit: 'ms',
    over: 'max',
    flink: [{ name: 'Status.JVM.GarbageCollector.All.TimeMsPerSecond', as: 'double' }],
    help: 'Time that they took lately, of each second.',
  },
  {
    name: 'eventLoopDelayMs',
    scope: 'process',
    kind: 'gauge',
    unit: 'ms',
    over: 'max',
    flink: [{ name: 'Status.Node.EventLoop.Delay', as: 'double', isOwn: true }],
    help: 'How late the event loop of the main thread has come to its timers lately, on average.',
  },
  {
    name: 'eventLoopMaxDelayMs',
    scope: 'process',
    kind: 'gauge',
    unit: 'ms',
    over: 'max',
    flink: [{ name: 'Status.Node.EventLoop.MaxDelay', as: 'double', isOwn: true }],
    help: 'How late it was at worst.',
  },
] as const satisfies readonly MetricRow[];

/** What a process uses. `cpuLoad`: 0 to 1, of all cores of the machine. */
export type ProcessFigures = Readonly<Record<(typeof processTable)[number]['name'], number>>;

export const processMetricRows: readonly MetricRow[] = processTable;

const jobManagerTable = [
  {
    name: 'taskManagers',
    scope: 'jobmanager',
    kind: 'gauge',
    unit: 'number',
    over: 'sum',
    flink: [{ name: 'numRegisteredTaskManagers', as: 'long' }],
    help: 'TaskManagers that are registered.',
  },
  {
    name: 'jobsRunning',
    scope: 'jobmanager',
    kind: 'gauge',
    unit: 'number',
    over: 'sum',
    flink: [{ name: 'numRunningJobs', as: 'long' }],
    help: 'Jobs that run.',
  },
  {
    name: 'slotsTotal',
    scope: 'jobmanager',
    kind: 'gauge',
    unit: 'number',
    over: 'sum',
    flink: [{ name: 'taskSlotsTotal', as: 'long' }],
    help: 'Slots of all TaskManagers.',
  },
  {
    name: 'slotsAvailable',
    scope: 'jobmanager',
    kind: 'gauge',
    unit: 'number',
    over: 'sum',
    flink: [{ name: 'taskSlotsAvailable', as: 'long' }],
    help: 'Slots in which nothing runs.',
  },
] as const satisfies readonly MetricRow[];

/** What a JobManager knows of its cluster. */
export type JobManagerFigures = Readonly<Record<(typeof jobManagerTable)[number]['name'], number>>;

export const jobManagerMetricRows: readonly MetricRow[] = jobManagerTable;

const fixed = (name: string, value: string): FixedMetric => ({
  name: `Status.JVM.Memory.${name}`,
  scope: 'process',
  value,
});

export const fixedProcessMetrics: readonly FixedMetric[] = [
  fixed('NonHeap.Max', '-1'),
  fixed('Metaspace.Used', '0'),
  fixed('Metaspace.Committed', '0'),
  fixed('Metaspace.Max', '-1'),
  fixed('Direct.Count', '0'),
  fixed('Mapped.Count', '0'),
  fixed('Mapped.MemoryUsed', '0'),
  fixed('Mapped.TotalCapacity', '0'),
];

/** Of TaskManagers only. */
export const fixedTaskManagerMetrics: readonly FixedMetric[] = [
  { name: 'Status.Flink.Memory.Managed.Used', scope: 'process', value: '0' },
  { name: 'Status.Flink.Memory.Managed.Total', scope: 'process', value: '0' },
];
