/**
 * An edge of a job in one process, in both of the forms that it has on a cluster: to another slot a record goes
 * through its codec, within a slot it is copied. A value that is not of its declared type, or that cannot be
 * encoded, fails in a test as it would there.
 */
import { ByteReader, ByteWriter } from '../api/bytes.ts';
import { type Codec, compileCodec } from '../api/codec.ts';
import type { TypeShape } from '../api/types.ts';
import type { ElementConsumer } from '../runtime/stream/operators/element-consumer.ts';
import { preparedOutput } from '../runtime/stream/operators/prepared-output.ts';

/** Where the tasks of a job lie: each in a slot of its own, or all in one. */
export type Layout = 'encoded' | 'same-slot';

/** @param type of the records; `null`: none is declared. */
export function layoutEdge(
  type: TypeShape | null,
  target: ElementConsumer,
  layout: Layout,
): ElementConsumer {
  const codec = compileCodec<unknown>(type);
  return preparedOutput(layout === 'encoded' ? throughBytes(codec) : codec.copy, target);
}

function throughBytes(codec: Codec<unknown>): (value: unknown) => unknown {
  return (value) => {
    const writer = new ByteWriter();
    codec.write(writer, value);
    return codec.read(new ByteReader(writer.written()));
  };
}
