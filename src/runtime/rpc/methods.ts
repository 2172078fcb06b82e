/** The methods that may be called, by side. The compiler keeps the lists complete. */
import type { JobManagerApi, TaskManagerApi } from './protocol.ts';

export const jobManagerMethods: Readonly<Record<keyof JobManagerApi, true>> = {
  register: true,
  heartbeat: true,
  taskChanged: true,
  requestSplit: true,
  slotLost: true,
};

export const taskManagerMethods: Readonly<Record<keyof TaskManagerApi, true>> = {
  heartbeat: true,
  allocateSlot: true,
  deployTasks: true,
  cancelTasks: true,
  freeSlot: true,
  listLogs: true,
  readLog: true,
  threadDump: true,
  dismiss: true,
};

export const DEFAULT_CALL_TIMEOUT_MS = 30_000;
