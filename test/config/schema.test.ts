import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { parse } from 'yaml';
import type { FctlConfig } from '../../src/config/index.ts';
import { configJsonSchema, nodeAt } from '../../src/config/json-schema.ts';
import type { ResolvedConfig } from '../../src/config/resolved.ts';
import type { UserConfig } from '../../src/config/schema.ts';
import { parseClusterId } from '../../src/contract/cluster-id.ts';
import { parseDurationMs, parseSizeBytes } from '../../src/contract/units.ts';
import { load } from './project.ts';

const root = join(import.meta.dirname, '../..');

describe('the resolved configuration', () => {
  it('is complete, from the id of the cluster alone', async () => {
    const { config } = await load('cluster: ab');
    expect(config).toEqual({
      cluster: parseClusterId('ab'),
      mode: 'application',
      provider: 'local',
      engine: 'bundled',
      application: null,
      jobmanager: {
        replicas: 1,
        resources: { cpu: 1, memoryBytes: 512 * 1024 * 1024 },
        environment: {},
        maxConcurrentRestarts: 10,
        submissionTimeoutMs: 120_000,
        rest: { port: 0, bind: null, hosts: [], allowedOrigins: [] },
      },
      taskmanager: {
        replicas: 1,
        slots: 1,
        resources: { cpu: 1, memoryBytes: 1024 * 1024 * 1024 },
        environment: {},
        registrationTimeoutMs: 300_000,
        slotRequestTimeoutMs: 300_000,
        loadBalance: { mode: 'none' },
      },
      restart: { strategy: 'none' },
      heartbeat: { intervalMs: 1000, timeoutMs: 10_000 },
      network: { bufferTimeoutMs: 100 },
      logging: { level: 'info', maxSizeBytes: 10 * 1024 * 1024, maxFiles: 3 },
      metrics: { reporters: [] },
      security: { auth: 'token', tls: 'off' },
      storage: { shared: [] },
      runtime: { node: null },
      retentionMs: 86_400_000,
      providers: {
        local: { dir: null },
        standalone: null,
        docker: {
          host: null,
          context: null,
          certPath: null,
          baseImage: 'node:24-slim',
          pull: 'missing',
          network: null,
          publish: '127.0.0.1',
          volumes: {},
        },
      },
      projectDir: expect.stringMatching(/^\//),
    } satisfies ResolvedConfig);
  });

  it.each([
    ['fixed-delay', { attempts: 1, delayMs: 1000 }],
    [
      'exponential-delay',
      {
        initialBackoffMs: 1000,
        maxBackoffMs: 60_000,
        backoffMultiplier: 1.5,
        resetBackoffThresholdMs: 3_600_000,
        jitterFactor: 0.1,
        attemptsBeforeResetBackoff: null,
      },
    ],
    ['failure-rate', { maxFailuresPerInterval: 1, failureRateIntervalMs: 60_000, delayMs: 1000 }],
  ])("has Flink's defaults of the restart strategy %s", async (strategy, options) => {
    const { config } = await load(`cluster: ab\nrestart: { strategy: ${strategy} }`);
    expect(config.restart).toEqual({ strategy, ...options });
  });

  it('has only the options of the restart strategy that is chosen', async () => {
    const { config } = await load(`cluster: ab
restart:
  strategy: fixed-delay
  fixedDelay: { attempts: 7, delay: 0s }
  failureRate: { delay: 9s }`);
    expect(config.restart).toEqual({ strategy: 'fixed-delay', attempts: 7, delayMs: 0 });
  });

  it('has durations in milliseconds and sizes in bytes', async () => {
    const { config } = await load(`cluster: ab
taskmanager: { resources: { memory: 1.5GiB }, slotRequestTimeout: 1.5h }
network: { bufferTimeout: 0ms }
logging: { maxSize: 64KB }
retention: 30d
heartbeat: { interval: 500ms, timeout: 1min }`);
    expect(config.taskmanager.resources.memoryBytes).toBe(1.5 * 1024 ** 3);
    expect(config.taskmanager.slotRequestTimeoutMs).toBe(5_400_000);
    expect(config.network.bufferTimeoutMs).toBe(0);
    expect(config.logging.maxSizeBytes).toBe(64_000);
    expect(config.retentionMs).toBe(30 * 86_400_000);
    expect(config.heartbeat).toEqual({ intervalMs: 500, timeoutMs: 60_000 });
  });

  it.each(['a', '-ab', 'ab-', 'Ab', '1ab', 'a_b', 'a'.repeat(41)])(
    'refuses the id %j',
    async (id) => {
      await expect(load(`cluster: ${id}`)).rejects.toThrow('must be 2 to 40 of a-z');
    },
  );

  it.each(['ab', 'a1', 'a-b', 'a'.repeat(40)])('takes the id %j', async (id) => {
    expect((await load(`cluster: ${id}`)).config.cluster).toBe(id);
  });
});

/** With all that is JSON of any shape as one type: both sides have a type of their own for it. */
type Plain<T> = T extends readonly (infer Item)[]
  ? Plain<Item>[]
  : T extends object
    ? string extends keyof T
      ? 'JSON'
      : { [Key in keyof T]: Plain<T[Key]> }
    : T;

type Overlay<T extends { environments?: unknown }> = NonNullable<
  T['environments']
>[keyof NonNullable<T['environments']>];

describe('the type for users', () => {
  it('is that of the schema', () => {
    expectTypeOf<Plain<FctlConfig>>().toEqualTypeOf<Plain<UserConfig>>();
    expectTypeOf<Plain<Overlay<FctlConfig>>>().toEqualTypeOf<Plain<Overlay<UserConfig>>>();
  });

  it('is imported without any library', async () => {
    const { build } = await import('esbuild');
    const { metafile } = await build({
      entryPoints: [join(root, 'src/config/index.ts')],
      bundle: true,
      write: false,
      metafile: true,
      packages: 'external',
      platform: 'node',
      format: 'esm',
    });
    expect(Object.keys(metafile.inputs)).toHaveLength(1);
    expect(Object.values(metafile.inputs)[0]!.imports).toEqual([]);
  });
});

describe('the JSON Schema', () => {
  const validate = new Ajv2020({ strict: true }).compile(configJsonSchema());

  it.each(['examples/flights', 'examples/word-count', 'templates/init/word-count'])(
    'accepts %s',
    async (folder) => {
      const text = await readFile(join(root, folder, 'fctl.config.yaml'), 'utf8');
      expect(validate(parse(text)), JSON.stringify(validate.errors)).toBe(true);
    },
  );

  it.each([
    [{}, false],
    [{ cluster: 'ab', slots: 1 }, false],
    [{ cluster: 'ab', heartbeat: { interval: 'soon' } }, false],
    [{ cluster: 'ab', heartbeat: { interval: '${env:X}' } }, true],
    [
      { $schema: 'x', cluster: 'ab', environments: { a: { application: { parallelism: 2 } } } },
      true,
    ],
    [{ cluster: 'ab', environments: { a: { slots: 2 } } }, false],
  ])('of %j says %j', (value, valid) => {
    expect(validate(value)).toBe(valid);
  });

  it.each([
    ['durations', ['heartbeat', 'interval'], parseDurationMs, ['ms', 's', 'm', 'min', 'h', 'd']],
    ['sizes', ['logging', 'maxSize'], parseSizeBytes, ['B', 'KB', 'MB', 'GB', 'KiB', 'MiB', 'GiB']],
  ] as const)(
    'has a pattern for %s that says what the parser says',
    (_what, path, parser, units) => {
      const { pattern } = nodeAt(path) as { pattern?: string };
      const written = fc
        .tuple(
          fc.constantFrom('1', '1.5', '', '.5', '1.', '-1', '1e3', '007'),
          fc.constantFrom('', ' ', '\t'),
          fc.oneof(fc.constantFrom(...units), fc.string({ maxLength: 3 })),
        )
        .map((parts) => parts.join(''));
      fc.assert(
        fc.property(fc.oneof(written, fc.string()), (text) => {
          fc.pre(!text.includes('${'));
          expect(new RegExp(pattern!).test(text)).toBe(parser(text) !== null);
        }),
      );
    },
  );
});
