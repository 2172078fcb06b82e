/** A journal that remembers nothing beyond its test, or its record. */
import { Redactor } from '../../../../src/contract/secrets.ts';
import { Journal } from '../../../../src/runtime/jobmanager/dispatcher/journal.ts';
import type { Clock } from '../../../../src/contract/clock.ts';
import { MemoryRecord } from '../../ha/memory-record.ts';

export const memoryJournal = (epoch: number, clock: Clock, record = new MemoryRecord()): Journal =>
  new Journal({
    record,
    epoch,
    resourceId: `jobmanager-0/${epoch}`,
    release: 'r1',
    mode: 'session',
    redactor: new Redactor(),
    clock,
  });
