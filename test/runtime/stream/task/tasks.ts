/** Tasks with real chains and channels; the test is the producer. */
import { ByteWriter } from '../../../../src/api/bytes.ts';
import { compileCodec } from '../../../../src/api/codec.ts';
import { types } from '../../../../src/api/types.ts';
import { type Clock, systemClock } from '../../../../src/contract/clock.ts';
import {
  writeEnd,
  writeRecord,
  writeWatermark,
} from '../../../../src/runtime/stream/network/elements.ts';
import type { ChannelWriter } from '../../../../src/runtime/stream/network/channel-writer.ts';
import { InputChannel } from '../../../../src/runtime/stream/network/input-channel.ts';
import { mergedInputs } from '../../../../src/runtime/stream/operators/merged-inputs.ts';
import { Mailbox } from '../../../../src/runtime/stream/task/mailbox.ts';
import { Task, type TaskEnd } from '../../../../src/runtime/stream/task/task.ts';
import { TaskMeter } from '../../../../src/runtime/stream/task/task-meter.ts';
import { type NodeSpec, buildChain } from '../operators/chains.ts';

const codec = () => compileCodec<unknown>(types.double);

/** A task that runs `nodes`, with `count` input channels. */
export async function startTask(nodes: readonly NodeSpec[], count = 1, clock: Clock = systemClock) {
  const ended = Promise.withResolvers<TaskEnd>();
  const task: Task = new Task({
    clock,
    mailbox: new Mailbox(clock),
    meter: new TaskMeter(clock),
    requestSplit: () => Promise.resolve(null),
    describe: (error, operator) => ({
      message: String(error),
      stack: null,
      task: operator,
      location: null,
    }),
    changed: () => {},
    ended: ended.resolve,
  });
  const built = buildChain(nodes, {
    host: { clock, wakeAfter: (ms) => task.wakeAfter(ms), shouldYield: () => task.shouldYield() },
  });
  const consumers = mergedInputs(count, built.input);
  const channels = consumers.map(
    (consumer) =>
      new InputChannel({
        owner: task,
        codec: codec(),
        consumer,
        creditBytes: 1000,
        counters: task.counters,
      }),
  );
  const { output } = built;
  const writer: ChannelWriter = Object.assign(output, { flush: () => {}, isDrained: true });
  await task.start(() => ({ chain: built.chain, writers: [writer], inputs: count }));
  return { task, channels, output: built.output, ended: ended.promise };
}

/** Elements as another process or slot sends them. */
export function encoded(records: number, isLast: boolean, from = 0): Uint8Array {
  const writer = new ByteWriter();
  const to = codec();
  for (let i = from; i < from + records; i++) writeRecord(writer, to, i, i);
  if (isLast) {
    writeWatermark(writer, Infinity);
    writeEnd(writer);
  }
  return writer.bytes.slice(0, writer.position);
}
