/** A journal that remembers nothing beyond its test. */
import { Redactor } from '../../../src/contract/secrets.ts';
import { Journal } from '../../../src/runtime/jobmanager/journal.ts';
import type { Clock } from '../../../src/runtime/rpc/clock.ts';
import { MemoryRecord } from '../ha/memory-record.ts';

export const memoryJournal = (epoch: number, clock: Clock): Journal =>
  new Journal({
    record: new MemoryRecord(),
    epoch,
    release: 'r1',
    mode: 'session',
    redactor: new Redactor(),
    clock,
  });
