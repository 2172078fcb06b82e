import { describe, expect, it } from 'vitest';
import { keysOf, nodeAt } from '../../src/config/json-schema.ts';
import { notYet } from '../../src/config/not-yet.ts';
import { brief, load, problemsOf } from './project.ts';

describe('what this version cannot honour', () => {
  it.each([
    ['provider: kubernetes', '2:11 /provider', "no provider 'kubernetes' yet", "use 'local'"],
    ['engine: flink', '2:9 /engine', "no engine 'flink' yet", "use 'bundled'"],
    ['ha: { type: zookeeper }', '2:13 /ha/type', "no ha.type 'zookeeper' yet", "use 'none'"],
    ['jobmanager: { replicas: 2 }', '2:25 /jobmanager/replicas', 'no high availability', "use '1'"],
    ['checkpointing: { interval: 10s }', '2:1 /checkpointing', 'no checkpoints', "remove 'chec"],
    ['savepoints: { dir: x }', '2:1 /savepoints', 'no savepoints yet', "remove 'savepoints'"],
    ['state: { backend: lmdb }', '2:19 /state/backend', "state.backend 'lmdb'", "use 'heap'"],
    [
      'metrics: { reporters: [{ type: prometheus }, { type: statsd, host: a }] }',
      '2:54 /metrics/reporters/1/type',
      "metrics.reporters.type 'statsd'",
      "use 'prometheus'",
    ],
    ['security: { tls: on }', '2:18 /security/tls', 'no TLS yet', "use 'off'"],
    [
      'application: { entry: app.ts, savepoint: latest }',
      '2:42 /application/savepoint',
      'start from',
      "use 'none'",
    ],
  ])('says so of %j', async (yaml, place, message, hint) => {
    const [problem, ...more] = await problemsOf(`cluster: ab\n${yaml}`);
    expect(more).toEqual([]);
    expect(brief(problem!)).toMatch(/ not-supported-yet$/);
    expect(brief(problem!)).toContain(place);
    expect(problem!.message).toMatch(/^this version of fctl has no /);
    expect(problem!.message).toContain(message);
    expect(problem!.hint).toContain(hint);
  });

  it('leaves values that do not exist to the schema', async () => {
    const problems = await problemsOf('cluster: ab\nprovider: nomad');
    expect(problems.map((p) => p.code)).toEqual(['invalid-value']);
  });

  it('allows what works, also when it is written down', async () => {
    const loaded = await load(`cluster: ab
mode: application
provider: local
engine: bundled
application: { entry: app.ts, savepoint: none, allowNonRestoredState: false }
jobmanager: { replicas: 1 }
state: { backend: heap }
restart: { strategy: none }
metrics: { reporters: [{ type: prometheus, port: 9249 }, { type: prometheus }] }
ha: { type: none }
security: { auth: token, tls: off }
providers: { standalone: { hosts: [a], user: flink }, kubernetes: { namespace: x } }
environments: { production: { provider: kubernetes, ha: { type: kubernetes } } }`);
    expect(loaded.config.provider).toBe('local');
  });

  it('names keys that exist, with a default that works, and says so in their descriptions', () => {
    for (const { key, works } of notYet) {
      const path = key.split('.');
      const keys = keysOf(nodeAt(path), path);
      expect(nodeAt(path)).not.toEqual({});
      // Entries of a list say what they are.
      if (works.length > 0 && !key.startsWith('metrics.reporters.')) {
        expect(works).toContain(nodeAt(path).default);
      }
      for (const { node } of keys.length > 0 ? keys : [{ node: nodeAt(path) }]) {
        expect(node.description).toMatch(/(Not in|In) this version/);
      }
    }
  });
});
