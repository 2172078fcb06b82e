/** Reads sources as the runtime does: an enumerator hands out splits, a reader is polled. */
import { type Source, type SourceReader, PollStatus, type Split } from '../../src/api/source.ts';
import { createEnumerator } from '../../src/connectors/registry.ts';

export interface Reading<T> {
  readonly records: T[];
  readonly skipped: () => number;
  readonly reader: SourceReader<T>;
}

export function openReader<T>(source: Source<T>, parallelism = 1, subtaskIndex = 0): Reading<T> {
  let skipped = 0;
  const reader = source.createReader({
    subtaskIndex,
    parallelism,
    workingDirectory: '/',
    skipped: () => {
      skipped++;
    },
  });
  return { records: [], skipped: () => skipped, reader };
}

export async function splitsOf(source: Source<unknown>, workingDirectory = '/'): Promise<Split[]> {
  const enumerator = await createEnumerator(source.enumerator, {
    workingDirectory,
    jobId: 'job',
    epoch: 1,
  });
  await enumerator.start();
  const splits: Split[] = [];
  for (;;) {
    const split = await enumerator.next({ subtaskIndex: 0, parallelism: 1 });
    if (split === null) break;
    splits.push(split);
  }
  await enumerator.close();
  return splits;
}

/** The same source, with its files divided into splits of about so many bytes. */
export function divided<T>(source: Source<T>, splitBytes: number): Source<T> {
  const { kind, options } = source.enumerator;
  return { ...source, enumerator: { kind, options: { ...options, splitBytes } } };
}

/** Polls until the end, or until `limit` records are there. */
export async function poll<T>(reading: Reading<T>, batch = 100, limit = Infinity): Promise<void> {
  const { reader, records } = reading;
  const output = { emit: (value: T) => void records.push(value) };
  while (records.length < limit) {
    const before = records.length;
    const max = Math.min(batch, limit - before);
    const status = reader.poll(output, max);
    if (records.length - before > max) throw new Error('poll emitted more than it was allowed to');
    if (status === PollStatus.end) return;
    if (status === PollStatus.needSplit) throw new Error('all splits were given');
    if (status === PollStatus.wait) await reader.available();
  }
}

/** Everything in a source, in the order of its splits. */
export async function readAll<T>(source: Source<T>, batch = 100): Promise<Reading<T>> {
  const reading = openReader(source);
  for (const split of await splitsOf(source)) reading.reader.addSplit(split);
  reading.reader.noMoreSplits();
  try {
    await poll(reading, batch);
  } finally {
    await reading.reader.close();
  }
  return reading;
}

/** Reads `first` records, moves the splits (as JSON) to another reader, and reads the rest there. */
export async function readInTwo<T>(
  source: Source<T>,
  first: number,
  batch: number,
): Promise<[T[], T[]]> {
  const one = openReader(source);
  for (const split of await splitsOf(source)) one.reader.addSplit(split);
  one.reader.noMoreSplits();
  await poll(one, batch, first);
  const splits = JSON.parse(JSON.stringify(one.reader.snapshot())) as Split[];
  await one.reader.close();
  const two = openReader(source);
  for (const split of splits) two.reader.addSplit(split);
  two.reader.noMoreSplits();
  await poll(two, batch);
  await two.reader.close();
  return [one.records, two.records];
}
