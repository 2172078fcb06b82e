import { describe, expect, it } from 'vitest';
import { brief, load, problemsOf } from './project.ts';

describe('metrics.reporters', () => {
  it('of Prometheus have a port, or ports', async () => {
    const { config } = await load(`cluster: ab
metrics:
  reporters:
    - { type: prometheus }
    - { type: prometheus, port: 9249 }
    - { type: prometheus, range: 9300-9310 }`);
    expect(config.metrics.reporters).toEqual([
      { type: 'prometheus', from: 9249, to: 9348 },
      { type: 'prometheus', from: 9249, to: 9249 },
      { type: 'prometheus', from: 9300, to: 9310 },
    ]);
  });

  it.each([
    ['{ type: prometheus, port: 0 }', 'port', 'must be at least 1'],
    ['{ type: prometheus, port: 65536 }', 'port', 'must be at most 65535'],
    ['{ type: prometheus, range: 9249 }', 'range', 'must be text, not 9249'],
    [
      '{ type: prometheus, range: 9300-9249 }',
      'range',
      "must be two ports, for example '9249-9348'",
    ],
    ['{ type: prometheus, range: 1-65536 }', 'range', "must be two ports, for example '9249-9348'"],
    ['{ type: prometheus, port: 1, range: 1-2 }', 'range', "there is a 'port', too"],
    ['{ type: prometheus, prot: 9249 }', 'prot', "unknown key 'prot'"],
    ['{ type: promethus }', 'type', 'must be prometheus, '],
    ['{ port: 1 }', 'type', "'metrics.reporters.0.type' is missing"],
  ])('are refused: %s', async (reporter, key, message) => {
    const problems = await problemsOf(`cluster: ab\nmetrics: { reporters: [${reporter}] }`);
    expect(problems).toHaveLength(1);
    expect(brief(problems[0]!)).toContain(`/metrics/reporters/0/${key}`);
    expect(problems[0]!.message).toContain(message);
  });

  it.each(['pushgateway', 'statsd', 'otlp', 'influxdb'])('cannot be %s yet', async (type) => {
    const reporter = `{ type: ${type}, url: "http://a" }`;
    const problems = await problemsOf(`cluster: ab\nmetrics: { reporters: [${reporter}] }`);
    expect(problems.map(({ code }) => code)).toEqual(['not-supported-yet']);
    expect(problems[0]!.hint).toBe("use 'prometheus'");
  });
});
