import { describe, expect, test } from 'vitest';
import type { StreamExecutionEnvironment } from '../../src/api/environment.ts';
import { type JobDefinition, defineJob } from '../../src/api/job.ts';
import { types } from '../../src/api/types.ts';
import { ConfigError, type Problem } from '../../src/contract/errors.ts';
import { compileDeterministic, compileJob } from '../../src/graph/compile.ts';
import type { JobGraph } from '../../src/graph/job-graph.ts';
import { compile, delays, delaysArgs, graphOf, numbers, options, out, wordCount } from './jobs.ts';

const same = (n: number) => n;
type Build = (env: StreamExecutionEnvironment) => void;

const operatorsOf = (graph: JobGraph) => graph.vertices.flatMap((v) => v.operators);
const idsOf = (graph: JobGraph) =>
  Object.fromEntries(operatorsOf(graph).map((o) => [o.name, o.id]));

function problemsOf(run: () => unknown): readonly Problem[] {
  try {
    run();
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  throw new Error('it was accepted');
}

describe('a job', () => {
  test('becomes a graph with its types, connectors and code', () => {
    const { graph, operators } = compileJob(delays, delaysArgs, options);
    expect(graph).toMatchObject({
      version: 1,
      name: 'delays',
      boundedness: 'bounded',
      code: {
        bundleHash: options.bundleHash,
        job: 'delays',
        args: delaysArgs,
        parallelism: options.parallelism,
      },
      vertices: [
        { name: 'Source: flights -> Filter', parallelism: 2, maxParallelism: 128 },
        { name: 'Window(TumblingEventTimeWindows(1d)) -> Sink: out/delays', parallelism: 2 },
      ],
      edges: [{ partitioner: 'HASH', keyType: types.string, type: { kind: 'record' } }],
    });
    const [source, , window, sink] = operatorsOf(graph);
    expect(source!.enumerator).toEqual({ kind: 'numbers', options: { path: 'flights.csv' } });
    expect(sink!.committer).toEqual({ kind: 'files', options: { path: 'out/delays' } });
    expect(window!.uid).toBe('per-day');
    expect(operators.get(window!.id)!.operation.kind).toBe('window');
    expect(JSON.parse(JSON.stringify(graph))).toEqual(graph);
  });

  test('without types is a graph, too', () => {
    const { graph } = compileJob(wordCount, {}, options);
    expect(graph.vertices.map((v) => v.name)).toEqual([
      'Source: lines -> Words',
      'Keyed Reduce -> Sink: counts',
    ]);
    expect(graph.edges.map((e) => [e.partitioner, e.type, e.keyType])).toEqual([
      ['HASH', null, { kind: 'primitive' }],
    ]);
  });

  test('is unbounded when one of its sources is', () => {
    const graph = graphOf((env) => {
      env.fromSource(numbers()).sinkTo(out('a'));
      env.fromSource(numbers({ boundedness: 'unbounded' })).sinkTo(out('b'));
    });
    expect(graph.boundedness).toBe('unbounded');
  });

  test('has the parallelism of the operator, else of the environment, else of the config', () => {
    const build = (env: StreamExecutionEnvironment) =>
      env.fromSource(numbers()).setParallelism(3).sinkTo(out());
    expect(graphOf(build, 5).vertices.map((v) => v.parallelism)).toEqual([3, 5]);
    const own: Build = (env) => {
      env.setParallelism(4);
      build(env);
    };
    expect(graphOf(own, 5).vertices.map((v) => v.parallelism)).toEqual([3, 4]);
    const scaled: Build = (env) =>
      void env.fromSource(numbers()).setMaxParallelism(1000).setParallelism(200).sinkTo(out());
    expect(graphOf(scaled, 300).vertices.map((v) => v.maxParallelism)).toEqual([1000, 512]);
  });

  test('cannot change its arguments', () => {
    const args = { list: ['a'] };
    const job = defineJob(
      'job',
      { args: types.record({ list: types.list(types.string) }) },
      (env, given) => {
        given.list.push('b');
        env.fromSource(numbers()).sinkTo(out());
      },
    );
    expect(compileJob(job, args, options).graph.code.args).toEqual({ list: ['a'] });
    expect(args).toEqual({ list: ['a'] });
  });
});

describe('ids and hash', () => {
  const build: Build = (env) => {
    const source = env.fromSource(numbers(), { name: 'a' });
    source.map(same).name('map').sinkTo(out('one'));
    source
      .filter(Boolean)
      .name('filter')
      .keyBy(same)
      .reduce(same)
      .uid('sum')
      .name('sum')
      .sinkTo(out('two'));
  };

  test('are those of yesterday', () => {
    // Savepoints name state by operator id: these never change.
    expect(idsOf(graphOf(build))).toMatchInlineSnapshot(`
      {
        "Sink: one": "40ae9e5806f8ff337665ef0adb5cca65",
        "Sink: two": "3e3f8f8afdedef43996d61bcf2a58dda",
        "Source: a": "66cc1a2b79f8a3e89d5c29857a096f00",
        "filter": "50afd7a2d5461c27e0f731a65e21dea6",
        "map": "4288e26ee65f4da1ba0aa69562a0f5d3",
        "sum": "ce38cea39fdd2cb696d8b782d4ae530e",
      }
    `);
    expect(compileJob(delays, delaysArgs, options).graph.hash).toMatchInlineSnapshot(
      `"7bd5e1443aaa3a6622ac6756dda145cd8bed9a5cb71764a4ff236e0767313818"`,
    );
  });

  test('do not depend on parallelism', () => {
    const one = graphOf(build, 1);
    const three = graphOf((env) => {
      const source = env.fromSource(numbers(), { name: 'a' }).setParallelism(3);
      source.map(same).name('map').setParallelism(2).sinkTo(out('one'));
      source
        .filter(Boolean)
        .name('filter')
        .keyBy(same)
        .reduce(same)
        .setMaxParallelism(999)
        .uid('sum')
        .name('sum')
        .sinkTo(out('two'));
    }, 7);
    expect(idsOf(three)).toEqual(idsOf(one));
    expect(three.hash).toBe(one.hash);
    expect(three.vertices.length).not.toBe(one.vertices.length);
  });

  test('ids do not depend on names, nor on streams without a sink', () => {
    const ids = Object.values(idsOf(graphOf(build)));
    const renamed = graphOf((env) => {
      const source = env.fromSource(numbers(), { name: 'b' });
      source.map(same).name('not used');
      source.map(same).name('M').sinkTo(out('1'));
      source
        .filter(Boolean)
        .name('F')
        .keyBy(same)
        .reduce(same)
        .uid('sum')
        .name('S')
        .sinkTo(out('2'));
    });
    expect(Object.values(idsOf(renamed))).toEqual(ids);
  });

  test('an operator with a uid keeps its id wherever it goes', () => {
    const moved = graphOf(
      (env) => void env.fromSource(numbers()).map(same).uid('sum').sinkTo(out()),
    );
    expect(idsOf(moved)['Map']).toBe(idsOf(graphOf(build))['sum']);
  });

  const differ: readonly (readonly [string, Build])[] = [
    [
      'another source',
      (env) =>
        void env
          .fromSource(numbers({ path: 'b' }))
          .map(same)
          .sinkTo(out()),
    ],
    ['another sink', (env) => void env.fromSource(numbers()).map(same).sinkTo(out('b'))],
    ['another name', (env) => void env.fromSource(numbers()).map(same).name('b').sinkTo(out())],
    [
      'another kind',
      (env) => void env.fromSource(numbers()).filter(Boolean).name('Map').sinkTo(out()),
    ],
    [
      'another type',
      (env) => void env.fromSource(numbers()).map(same, { type: types.double }).sinkTo(out()),
    ],
    ['another uid', (env) => void env.fromSource(numbers()).map(same).uid('b').sinkTo(out())],
    [
      'another partitioner',
      (env) => void env.fromSource(numbers()).rebalance().map(same).sinkTo(out()),
    ],
    [
      'one operator more',
      (env) => void env.fromSource(numbers()).map(same).map(same).sinkTo(out()),
    ],
  ];
  test.each(differ)('the hash notices %s', (_, other) => {
    const base = graphOf((env) => void env.fromSource(numbers()).map(same).sinkTo(out()));
    expect(graphOf(other).hash).not.toBe(base.hash);
  });

  test('the hash notices another order of fields: they are encoded in it', () => {
    const typed = (type: ReturnType<typeof types.record>) =>
      graphOf((env) => void env.fromSource(numbers({ type })).sinkTo(out())).hash;
    const ab = types.record({ a: types.string, b: types.string });
    const ba = types.record({ b: types.string, a: types.string });
    expect(typed(ab as never)).not.toBe(typed(ba as never));
  });

  test('two operators with one uid are refused', () => {
    const twice: Build = (env) =>
      void env.fromSource(numbers()).map(same).uid('a').filter(Boolean).uid('a').sinkTo(out());
    expect(problemsOf(() => compile(twice))).toMatchObject([
      {
        code: 'duplicate-uid',
        message: "job 'job': 'Map' and 'Filter' have the same uid 'a': a uid is unique in a job",
      },
    ]);
  });
});

describe('arguments', () => {
  const job = defineJob(
    'delays',
    {
      args: types.record({
        input: types.string,
        output: types.string,
        minutes: types.optional(types.int32),
        columns: types.list(types.record({ name: types.string })),
      }),
    },
    (env) => void env.fromSource(numbers()).sinkTo(out()),
  );

  test('that fit are accepted', () => {
    expect(compileJob(job, { input: 'a', output: 'b', columns: [] }, options).graph.name).toBe(
      'delays',
    );
  });

  test('that do not fit are all named, with what to do', () => {
    const args = {
      inptu: 'a',
      output: [5],
      minutes: '7.5',
      columns: [{ name: 'a' }, { name: null }],
      colour: true,
    };
    expect(
      problemsOf(() => compileJob(job, args, options)).map(({ code, message, path, hint }) => [
        code,
        path,
        message,
        hint,
      ]),
    ).toEqual([
      [
        'wrong-argument',
        '/application/args/input',
        "job 'delays', argument /input: expected string, but it is missing",
        null,
      ],
      [
        'wrong-argument',
        '/application/args/output',
        "job 'delays', argument /output: expected string, got a list",
        null,
      ],
      [
        'wrong-argument',
        '/application/args/minutes',
        `job 'delays', argument /minutes: expected int32, got string "7.5"`,
        null,
      ],
      [
        'wrong-argument',
        '/application/args/columns/1/name',
        "job 'delays', argument /columns/1/name: expected string, got null",
        null,
      ],
      [
        'unknown-argument',
        '/application/args/inptu',
        "job 'delays', argument /inptu: unknown field 'inptu'",
        "did you mean 'input'?",
      ],
      [
        'unknown-argument',
        '/application/args/colour',
        "job 'delays', argument /colour: unknown field 'colour'",
        'known are input, output, minutes, columns',
      ],
    ]);
  });

  test('that main() gave have no place in the config', () => {
    const found = problemsOf(() => compileJob(job, {}, { ...options, argsAt: null }));
    expect(found.map((p) => p.path)).toEqual([null, null, null]);
  });

  test('of a job without any are refused', () => {
    expect(problemsOf(() => compileJob(wordCount, { input: 'a' }, options))).toMatchObject([
      {
        code: 'unknown-argument',
        message: "job 'word count', argument /input: the job takes no arguments",
        hint: expect.stringContaining('defineJob'),
      },
    ]);
  });
});

describe('a builder', () => {
  const failing = (builder: Build) => defineJob('delays', builder);

  test('that throws is named, with its stack as the cause', () => {
    const cause = new TypeError('no such column');
    const job = failing(() => {
      throw cause;
    });
    const caught = (() => {
      try {
        compileJob(job, {}, options);
      } catch (error) {
        return error as Error;
      }
      throw new Error('it was accepted');
    })();
    expect(caught).toMatchObject({
      message: "job 'delays': its builder threw: no such column",
      cause,
    });
  });

  test('that throws no Error is named as well', () => {
    const job = failing(() => {
      throw 'a text'; // oxlint-disable-line typescript/only-throw-error
    });
    expect(() => compileJob(job, {}, options)).toThrow("job 'delays': its builder threw: a text");
  });

  test('that is asynchronous is refused, whether or not it fails later', () => {
    const wait = async (): Promise<void> => {};
    const fail = async (): Promise<void> => {
      throw new Error('not this one');
    };
    for (const builder of [wait, fail]) {
      expect(() => compileJob(failing(builder as Build), {}, options)).toThrow(
        /its builder is asynchronous/,
      );
    }
  });

  test('without a sink is refused', () => {
    expect(() => compile((env) => void env.fromSource(numbers()).map(same))).toThrow(
      /it has no sink, .* end a stream with sinkTo/,
    );
    expect(() => compile(() => {})).toThrow(/no sink/);
  });

  test('with a parallelism above the max parallelism is refused', () => {
    const build: Build = (env) =>
      void env.fromSource(numbers()).setMaxParallelism(2).setParallelism(3).sinkTo(out());
    expect(() => compile(build)).toThrow(
      "job 'job': 'Source: numbers' has parallelism 3, above its max parallelism 2",
    );
  });
});

describe('determinism', () => {
  const check = (build: (env: StreamExecutionEnvironment, run: number) => void) => {
    let run = 0;
    const job: JobDefinition<void> = defineJob('job', (env) => build(env, ++run));
    return () => compileDeterministic(job, {}, options);
  };

  test('a builder that depends on its arguments alone is accepted', () => {
    expect(compileDeterministic(delays, delaysArgs, options).graph.hash).toBe(
      compileJob(delays, delaysArgs, options).graph.hash,
    );
  });

  test.each<readonly [string, (env: StreamExecutionEnvironment, run: number) => void, string]>([
    [
      'a name',
      (env, run) => env.fromSource(numbers()).map(same).name(`map ${run}`).sinkTo(out()),
      "operator 'map 1', then 'map 2'",
    ],
    [
      'a path',
      (env, run) => env.fromSource(numbers({ path: `p${run}` })).sinkTo(out()),
      `enumerator of operator 'Source: numbers': {"kind":"numbers","options":{"path":"p1"}}, then`,
    ],
    [
      'a uid',
      (env, run) => env.fromSource(numbers()).map(same).uid(`u${run}`).sinkTo(out()),
      "id of operator 'Map': ",
    ],
    [
      'a number of operators',
      (env, run) => {
        let stream = env.fromSource(numbers());
        for (let i = 0; i < run; i++) stream = stream.map(same);
        stream.sinkTo(out());
      },
      "operator 'Sink: out', then 'Map'",
    ],
    [
      'an operator at the end',
      (env, run) => {
        for (let i = 0; i < run; i++) env.fromSource(numbers()).sinkTo(out());
      },
      '2 operators, then 4',
    ],
  ])('one that changes %s is refused and says what changed', (_, build, message) => {
    const run = check(build);
    expect(run).toThrow(`(${message}`);
    expect(check(build)).toThrow(/must depend on its arguments alone/);
  });

  test('parallelism may change', () => {
    expect(
      check((env, run) => env.fromSource(numbers()).setParallelism(run).sinkTo(out())),
    ).not.toThrow();
  });
});
