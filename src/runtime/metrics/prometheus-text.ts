/**
 * Samples in the text formats that Prometheus reads: its own (0.0.4) and OpenMetrics (1.0). Pure.
 *
 * P1  Names are those of Flink's reporter: `flink_`, scope and name, joined by `_`; other characters are `_`. As
 *     there, everything is a gauge: a counter of OpenMetrics would need another name.
 * P2  A family is told once, with all its samples together, and no two samples have the same name and labels.
 * P3  What samples share is made into text once: names by their path, labels by their object.
 */
import type { Sample } from './samples.ts';

export type PrometheusFormat = 'text' | 'openmetrics';

export const contentTypes: Readonly<Record<PrometheusFormat, string>> = {
  text: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
};

/** @param mask takes secrets out of a label's value. */
export function prometheusText(
  samples: readonly Sample[],
  format: PrometheusFormat,
  mask: (text: string) => string = (text) => text,
): string {
  const names = new Map<string, string>();
  const labelTexts = new Map<Sample['labels'], string>();
  const families = Map.groupBy(samples, ({ path }) =>
    once(names, path.join('\n'), () => ['flink', ...path].map(nameOf).join('_')),
  );
  const texts = Array.from(families, ([name, members]) => {
    const lines = new Map(
      members.map(({ labels, value }) => [
        name + once(labelTexts, labels, () => labelsOf(labels, mask)),
        numberOf(value),
      ]),
    );
    return [
      `# HELP ${name} ${helpOf(members[0]!.help, format)}`,
      `# TYPE ${name} gauge`,
      ...Array.from(lines, ([series, value]) => `${series} ${value}`),
      '',
    ].join('\n');
  });
  return texts.join('') + (format === 'openmetrics' ? '# EOF\n' : '');
}

/** P3 */
function once<K>(known: Map<K, string>, key: K, make: () => string): string {
  const text = known.get(key) ?? make();
  known.set(key, text);
  return text;
}

/** P1 */
const nameOf = (part: string): string => part.replace(/[^A-Za-z0-9_:]/g, '_');

function labelsOf(labels: Sample['labels'], mask: (text: string) => string): string {
  // Different names may be the same once they are names of labels: the last one counts.
  const named = new Map(Object.entries(labels).map(([label, value]) => [labelOf(label), value]));
  const texts = Array.from(
    named,
    ([label, value]) => `${label}="${escape(mask(value)).replaceAll('"', '\\"')}"`,
  );
  return texts.length === 0 ? '' : `{${texts.join(',')}}`;
}

/** Does not begin with a digit, nor with what Prometheus keeps for itself. */
const labelOf = (label: string): string =>
  label.replace(/[^A-Za-z0-9_]/g, '_').replace(/^(?=\d)|^__+/, '_');

const helpOf = (help: string, format: PrometheusFormat): string =>
  format === 'text' ? escape(help) : escape(help).replaceAll('"', '\\"');

/** A value that ends its line, or the text, would be taken for more than one. */
const escape = (text: string): string =>
  text.toWellFormed().replaceAll('\0', '\uFFFD').replaceAll('\\', '\\\\').replaceAll('\n', '\\n');

function numberOf(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (Number.isFinite(value)) return String(value);
  return value > 0 ? '+Inf' : '-Inf';
}
