/**
 * An edge of a job in one process, on which records still go through their codec: on a cluster they may
 * cross to another process, so a value that does not fit its declared type, or that cannot be encoded,
 * fails in a test as it would there.
 */
import { ByteReader, ByteWriter } from '../api/bytes.ts';
import { compileCodec } from '../api/codec.ts';
import type { Codec } from '../api/codec.ts';
import type { JobEdge } from '../graph/job-graph.ts';
import type {
  CheckpointBarrier,
  ElementConsumer,
} from '../runtime/stream/operators/element-consumer.ts';

class EncodedEdge implements ElementConsumer {
  private readonly codec: Codec<unknown>;
  private readonly target: ElementConsumer;

  constructor(edge: JobEdge, target: ElementConsumer) {
    this.codec = compileCodec(edge.type);
    this.target = target;
  }

  record(value: unknown, timestamp: number): void {
    const writer = new ByteWriter();
    this.codec.write(writer, value);
    const reader = new ByteReader(writer.bytes.subarray(0, writer.position));
    this.target.record(this.codec.read(reader), timestamp);
  }

  watermark(timestamp: number): void {
    this.target.watermark(timestamp);
  }

  idle(isIdle: boolean): void {
    this.target.idle(isIdle);
  }

  barrier(barrier: CheckpointBarrier): void {
    this.target.barrier(barrier);
  }

  end(): void {
    this.target.end();
  }
}

export function encodedEdge(edge: JobEdge, target: ElementConsumer): ElementConsumer {
  return new EncodedEdge(edge, target);
}
