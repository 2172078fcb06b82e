/** Tumbling windows as slowly and plainly as possible: all records are kept, everything is searched for. */
export type Step =
  | {
      readonly kind: 'record';
      readonly key: string;
      readonly n: number;
      readonly timestamp: number;
    }
  | { readonly kind: 'watermark'; readonly timestamp: number };

interface Result {
  readonly key: string;
  readonly start: number;
  readonly sum: number;
}

/** What comes out until the watermark after the last step, which is the highest. */
export function naiveTumbling(
  steps: readonly Step[],
  options: { size: number; offset: number; allowedLatenessMs: number },
): { results: Result[]; late: number } {
  const { size, offset, allowedLatenessMs } = options;
  const results: Result[] = [];
  const kept: { key: string; start: number; n: number }[] = [];
  let watermark = -Infinity;
  let late = 0;
  const emit = (key: string, start: number) => {
    const of = kept.filter((r) => r.key === key && r.start === start);
    results.push({ key, start, sum: of.reduce((total, r) => total + r.n, 0) });
  };
  for (const step of [...steps, { kind: 'watermark', timestamp: Infinity } as const]) {
    if (step.kind === 'record') {
      let start = offset;
      while (start > step.timestamp) start -= size;
      while (start + size <= step.timestamp) start += size;
      if (start + size - 1 + allowedLatenessMs <= watermark) {
        late++;
        continue;
      }
      kept.push({ key: step.key, start, n: step.n });
      if (start + size - 1 <= watermark) emit(step.key, start);
    } else {
      const before = watermark;
      watermark = step.timestamp;
      const due = [...new Set(kept.map((r) => r.start))]
        .filter((start) => start + size - 1 > before && start + size - 1 <= watermark)
        .toSorted((a, b) => a - b);
      for (const start of due) {
        const keys = new Set(kept.filter((r) => r.start === start).map((r) => r.key));
        for (const key of keys) emit(key, start);
      }
    }
  }
  return { results, late };
}
