/** What a soak has measured, for spreadsheets and for people. */

export interface Sample {
  readonly seconds: number;
  readonly taskManagersMiB: number;
  readonly jobManagerMiB: number;
  /** Epoch milliseconds of event time. */
  readonly watermark: number;
  /** How long the source was held back so far. */
  readonly backPressuredMs: number;
  /** That have come to the windows so far. */
  readonly records: number;
}

const columns = [
  'seconds',
  'taskManagersMiB',
  'jobManagerMiB',
  'watermark',
  'backPressuredMs',
  'records',
] as const;

export function toCsv(samples: readonly Sample[]): string {
  const lines = samples.map((sample) => columns.map((c) => sample[c].toFixed(1)).join(','));
  return `${[columns.join(','), ...lines].join('\n')}\n`;
}

const width = 800;
const height = 160;
const margin = 40;

/** A panel a column, below each other, each from 0 to its highest value. */
export function toSvg(samples: readonly Sample[]): string {
  const panels = columns.slice(1).map((column, index) => panel(samples, column, index));
  const total = panels.length * (height + margin) + margin;
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width + 2 * margin}" height="${total}" ` +
    `font-family="sans-serif" font-size="12">\n<rect width="100%" height="100%" fill="white"/>\n` +
    `${panels.join('\n')}\n</svg>\n`
  );
}

function panel(
  samples: readonly Sample[],
  column: (typeof columns)[number],
  index: number,
): string {
  const top = margin + index * (height + margin);
  const highest = Math.max(1, ...samples.map((sample) => sample[column]));
  const last = samples.at(-1)?.seconds ?? 1;
  const points = samples.map((sample) => {
    const x = margin + (sample.seconds / last) * width;
    const y = top + height - (sample[column] / highest) * height;
    return `${x.toFixed(1)},${y.toFixed(1)}`;
  });
  return (
    `<text x="${margin}" y="${top - 6}">${column}, up to ${highest.toFixed(0)}, over ${last.toFixed(0)} s</text>` +
    `<rect x="${margin}" y="${top}" width="${width}" height="${height}" fill="none" stroke="lightgray"/>` +
    `<polyline points="${points.join(' ')}" fill="none" stroke="steelblue" stroke-width="1.5"/>`
  );
}
