import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jobMetricRows } from '../../../src/contract/metrics/job-metrics.ts';
import { noTaskMetrics, taskMetricRows } from '../../../src/contract/metrics/task-metrics.ts';
import { prometheusText } from '../../../src/runtime/metrics/prometheus-text.ts';
import { type Measured, type Sample, samplesOf } from '../../../src/runtime/metrics/samples.ts';
import { readExposition } from './exposition.ts';

const formats = ['text', 'openmetrics'] as const;

/** Any text, lone surrogates and control characters included. */
const anyText = fc.oneof(
  fc.string({ unit: fc.nat(0xffff).map((code) => String.fromCharCode(code)) }),
  fc.string({
    unit: fc.constantFrom('"', '\\', '\n', '\r', '\0', '{', '}', ',', '=', 'n', ' ', 'ü'),
  }),
);
/** Some of which are the same as names of labels. */
const labelName = fc.oneof(
  fc.string({ unit: fc.constantFrom('-', '_', 'a', '0', 'ü'), minLength: 1, maxLength: 3 }),
  anyText.filter((text) => text !== ''),
);
const sample: fc.Arbitrary<Sample> = fc.record({
  path: fc.array(fc.oneof(fc.constantFrom('a', 'b'), anyText), { minLength: 1, maxLength: 3 }),
  labels: fc.dictionary(fc.stringMatching(/^[a-z][a-z_]{0,3}$/), anyText, { maxKeys: 4 }),
  value: fc.double(),
  help: anyText,
});

describe.each(formats)('the text format: %s', (format) => {
  it('is read as what was written, whatever characters there are', () => {
    fc.assert(
      fc.property(fc.array(sample), (samples) => {
        const read = readExposition(prometheusText(samples, format), format);
        const key = (name: string, labels: object) =>
          JSON.stringify([name, Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1))]);
        // The last one of those with one name and the same labels counts.
        const wanted = new Map(
          samples.map(({ labels, path, value }) => {
            const name = ['flink', ...path].map((p) => p.replace(/[^A-Za-z0-9_:]/g, '_')).join('_');
            const clean = Object.entries(labels).map(([label, text]) => [
              label,
              text.toWellFormed().replaceAll('\0', '\uFFFD'),
            ]);
            return [key(name, Object.fromEntries(clean)), value];
          }),
        );
        const got = new Map(read.map(({ labels, name, value }) => [key(name, labels), value]));
        expect(new Set(got.keys())).toEqual(new Set(wanted.keys()));
        for (const [series, value] of wanted) expect(got.get(series)! + 0).toBe(value + 0);
      }),
    );
  });

  it('has names of labels that Prometheus takes', () => {
    fc.assert(
      fc.property(fc.dictionary(labelName, anyText), (labels) => {
        const one = { path: ['a'], labels, value: 1, help: '' };
        expect(readExposition(prometheusText([one], format), format)).toHaveLength(1);
      }),
    );
  });

  it('has no secret', () => {
    const one = { path: ['a'], labels: { job_name: 'reads s3cr3t' }, value: 5, help: '' };
    const text = prometheusText([one], format, (label) => label.replaceAll('s3cr3t', '***'));
    expect(text).toContain('job_name="reads ***"');
  });
});

describe('samples', () => {
  const task: Measured = {
    scope: ['taskmanager', 'job', 'task'],
    labels: { task_name: 'Source: a -> b' },
    rows: taskMetricRows,
    values: { ...noTaskMetrics, recordsIn: 7, skippedRecords: 2 },
    source: 'Source: a',
    sourceLabels: { operator_name: 'Source: a' },
  };
  const textOf = (...all: Measured[]) => prometheusText(samplesOf(all), 'text');

  it("have the names and variables of Flink's reporter", () => {
    const text = textOf(task);
    expect(text).toContain(
      '\nflink_taskmanager_job_task_numRecordsIn{task_name="Source: a -> b"} 7\n',
    );
    expect(text).toContain(
      '\nflink_taskmanager_job_task_operator_numRecordsInErrors{task_name="Source: a -> b",operator_name="Source: a"} 2\n',
    );
    const process = { scope: ['jobmanager', 'job'], labels: {}, rows: jobMetricRows };
    expect(textOf({ ...process, values: { restarts: 3 } })).toContain(
      '\nflink_jobmanager_job_numRestarts 3\n',
    );
  });

  it('are those that are known', () => {
    const watermark = 'currentOutputWatermark';
    expect(textOf(task)).not.toContain(watermark);
    const at = (time: number) => textOf({ ...task, values: { ...task.values, watermark: time } });
    expect(at(1_795_371_000_123)).toMatch(/currentOutputWatermark\{.*\} 1795371000123\n/);
    expect(at(Number.MAX_SAFE_INTEGER)).toMatch(
      /currentOutputWatermark\{.*\} 9223372036854776000\n/,
    );
  });

  it('of user code have their groups and labels, and a histogram its quantiles', () => {
    const mine = { operatorId: 'o', operatorName: 'Map', name: 'seen' };
    const quantiles = { '0.5': 3, '0.99': 9 };
    const text = textOf({
      ...task,
      userMetrics: [
        { ...mine, groups: [{ name: 'shop', value: 'a "b"' }], kind: 'counter', value: 4 },
        {
          ...mine,
          groups: [{ name: 'in', value: null }],
          kind: 'histogram',
          value: { count: 7, min: 1, max: 9, mean: 4, stddev: 2, quantiles },
        },
      ],
    });
    const own = 'task_name="Source: a -> b",operator_id="o",operator_name="Map"';
    const prefix = '\nflink_taskmanager_job_task_operator';
    expect(text).toContain(`${prefix}_shop_seen{shop="a \\"b\\"",${own}} 4\n`);
    expect(text).toContain(`${prefix}_in_seen{${own},quantile="0.99"} 9\n`);
    expect(text).toContain(`${prefix}_in_seen_count{${own}} 7\n`);
    readExposition(text, 'text');
  });

  it('of several tasks are one family', () => {
    const other = { ...task, labels: { task_name: 'c' }, source: null };
    const read = readExposition(textOf(task, other), 'text');
    const name = 'flink_taskmanager_job_task_numRecordsIn';
    expect(read.filter((series) => series.name === name)).toHaveLength(2);
  });
});
