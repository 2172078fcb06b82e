/**
 * A strict reader of the text formats of Prometheus, after their specifications: of each line exactly what is
 * allowed, a family once, together, and with its samples.
 */
export interface Series {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const unescaped = (text: string): string =>
  text.replace(/\\(.)/g, (_all, escaped: string) => {
    if (escaped === 'n') return '\n';
    if (escaped === '\\' || escaped === '"') return escaped;
    throw new Error(`no such escape: \\${escaped}`);
  });

/** @throws Error saying what is not allowed. */
export function readExposition(text: string, format: 'text' | 'openmetrics'): Series[] {
  if (text === '' && format === 'text') return [];
  if (!text.endsWith('\n')) throw new Error('the last line does not end');
  const lines = text.slice(0, -1).split('\n');
  if (format === 'openmetrics' && lines.pop() !== '# EOF') throw new Error('no # EOF');
  const all: Series[] = [];
  const seen = new Set<string>();
  let family: string | null = null;
  for (const line of lines) {
    const head = /^# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.*)$/su.exec(line);
    if (head?.[1] === 'HELP') {
      if (seen.has(head[2]!)) throw new Error(`${head[2]} is not together`);
      seen.add(head[2]!);
      family = head[2]!;
      unescaped(head[3]!);
    } else if (head?.[1] === 'TYPE') {
      if (head[2] !== family || head[3] !== 'gauge') throw new Error(`a wrong type: ${line}`);
    } else {
      const series = seriesOf(line);
      if (series.name !== family) throw new Error(`${series.name} is not in its family`);
      const key = `${series.name} ${Object.entries(series.labels)
        .map(String)
        .toSorted((a, b) => a.localeCompare(b))
        .join()}`;
      if (seen.has(key)) throw new Error(`twice: ${line}`);
      seen.add(key);
      all.push(series);
    }
  }
  return all;
}

function seriesOf(line: string): Series {
  const whole =
    /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\]|\\.)*",?)*)\})? (\S+)$/su.exec(
      line,
    );
  if (whole === null) throw new Error(`no sample: ${line}`);
  const labels: Record<string, string> = {};
  for (const [, label, value] of (whole[2] ?? '').matchAll(/([^=,]+)="((?:[^"\\]|\\.)*)"/gsu)) {
    if (Object.hasOwn(labels, label!)) throw new Error(`${label} twice: ${line}`);
    if (label!.startsWith('__')) throw new Error(`${label} is kept for Prometheus`);
    labels[label!] = unescaped(value!);
  }
  const text = whole[3]!;
  const value = text === '+Inf' ? Infinity : text === '-Inf' ? -Infinity : Number(text);
  if (Number.isNaN(value) && text !== 'NaN') throw new Error(`no number: ${line}`);
  return { name: whole[1]!, labels, value };
}
