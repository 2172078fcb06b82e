/**
 * CPU time of both ends per record on each transport, as ratios to the channel within a slot.
 *
 *     node bench/network.ts [records]
 *
 * Both ends run in this thread, so that the CPU time of a transport is all of it: encoding, sending,
 * receiving, decoding and credit.
 */
import { types } from '../src/api/types.ts';
import {
  type Transport,
  connectPair,
  transports,
} from '../test/runtime/stream/network/channels.ts';

const records = Number(process.argv[2] ?? 1_000_000);
const type = types.record({
  origin: types.string,
  destination: types.string,
  delay: types.double,
  time: types.timestamp,
});
const network = {
  bufferTimeoutMs: 100,
  bufferSizeBytes: 32 * 1024,
  channelCreditBytes: 256 * 1024,
  maxFrameBytes: 1024 * 1024,
};

interface Result {
  readonly cpuNsPerRecord: number;
  readonly cpuUsPerBuffer: number;
}

async function measure(transport: Transport, count: number): Promise<Result> {
  let received = 0;
  let ended!: () => void;
  const end = new Promise<void>((resolve) => (ended = resolve));
  const pair = await connectPair(
    transport,
    type,
    {
      record: () => {
        received++;
      },
      watermark: () => {},
      idle: () => {},
      end: () => ended(),
    },
    { network },
  );
  pair.consume();
  await pair.producer.writable();
  const row = { origin: 'SFO', destination: 'JFK', delay: 12.5, time: 978_307_200_000 };
  const before = process.cpuUsage();
  for (let sent = 0; sent < count; sent++) {
    if (pair.producer.blocked > 0) await pair.producer.writable();
    pair.writer.record(row, sent);
  }
  pair.writer.end();
  await end;
  const { user, system } = process.cpuUsage(before);
  await pair.close();
  if (received !== count) throw new Error(`${received} of ${count} records came over ${transport}`);
  const buffers = Math.max(1, pair.producer.counters.bytesOut / network.bufferSizeBytes);
  return {
    cpuNsPerRecord: ((user + system) * 1000) / count,
    cpuUsPerBuffer: (user + system) / buffers,
  };
}

const results: Partial<Record<Transport, Result>> = {};
for (const transport of transports) {
  await measure(transport, Math.ceil(records / 5));
  results[transport] = await measure(transport, records);
}
const base = results['same slot']!.cpuNsPerRecord;
for (const transport of transports) {
  const { cpuNsPerRecord, cpuUsPerBuffer } = results[transport]!;
  console.log(
    `${transport.padEnd(14)} ${(cpuNsPerRecord / base).toFixed(2).padStart(7)} × same slot   ` +
      `${cpuNsPerRecord.toFixed(0).padStart(5)} ns a record   ${cpuUsPerBuffer.toFixed(1).padStart(6)} µs a buffer`,
  );
}
