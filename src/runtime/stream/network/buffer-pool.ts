/** Buffers of one size that are used again; one pool a slot. */
export class BufferPool {
  readonly bufferSize: number;
  private readonly free: Uint8Array<ArrayBuffer>[] = [];
  private readonly maxFree: number;

  /** @param maxFree how many unused buffers are kept. */
  constructor(bufferSize: number, maxFree: number) {
    this.bufferSize = bufferSize;
    this.maxFree = maxFree;
  }

  take(): Uint8Array<ArrayBuffer> {
    return this.free.pop() ?? new Uint8Array(new ArrayBuffer(this.bufferSize));
  }

  /** Takes back a buffer that nobody uses any more; one of another size is left to the garbage collector. */
  give(buffer: ArrayBuffer): void {
    if (buffer.byteLength === this.bufferSize && this.free.length < this.maxFree) {
      this.free.push(new Uint8Array(buffer));
    }
  }
}
