/** So many at once, the others wait in their order. */
export class Slots {
  #free: number;
  #size: number;
  #queue: { resolve: () => void; reject: (error: Error) => void }[] = [];
  #closed: Error | null = null;

  constructor(size: number) {
    this.#size = size;
    this.#free = size;
  }

  /** @returns what gives the slot back; a second call changes nothing. */
  async take(): Promise<() => void> {
    if (this.#closed !== null) throw this.#closed;
    if (this.#free > 0) this.#free -= 1;
    else {
      const { promise, reject, resolve } = Promise.withResolvers<void>();
      this.#queue.push({ resolve, reject });
      await promise;
    }
    let taken = true;
    return () => {
      if (taken) this.#give();
      taken = false;
    };
  }

  #give(): void {
    if (this.#queue.length > 0) this.#queue.shift()!.resolve();
    else this.#free += 1;
  }

  /** One slot less, but one stays. @returns whether there is reason to wait: somebody holds one. */
  shrink(): boolean {
    const held = this.#size - this.#free;
    if (held <= 0) return false;
    this.#size = Math.max(1, held);
    this.#free = 0;
    return true;
  }

  close(error: Error): void {
    this.#closed ??= error;
    for (const { reject } of this.#queue.splice(0)) reject(error);
  }
}
