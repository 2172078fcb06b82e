import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JsonObject, JsonValue } from '../../src/contract/json.ts';
import { ApplicationStatus, FailureKind } from '../../src/contract/outcome.ts';
import { Role } from '../../src/contract/process-spec.ts';
import { ClusterState } from '../../src/deployment/status.ts';
import { ReleaseStatus } from '../../src/record/documents.ts';
import { JobStatus } from '../../src/runtime/jobmanager/scheduler/job-status.ts';
import { ExecutionState } from '../../src/runtime/stream/task/deployment.ts';
import { MASK, Redactor, joinSecrets, splitSecrets } from '../../src/contract/secrets.ts';

/** Also those that mean something in JSON, or in what fctl itself says. */
const words = ['true', 'false', 'null', '1234', 'jobs', 'name', '{"a"', '\\u00', '****a', 'a****'];
const secret = fc.oneof(
  fc.constantFrom(...words),
  fc.string({ minLength: 4, maxLength: 12, unit: 'binary' }).filter((s) => /[^*]/.test(s)),
  fc.string({ minLength: 4, maxLength: 6, unit: fc.constantFrom('a', 'b', '"', '\\') }),
);
const secrets = fc.array(secret, { minLength: 1, maxLength: 4 });
/** Text in which secrets are likely, whole, in part, and in JSON's form. */
const textWith = (values: readonly string[]) =>
  fc
    .array(
      fc.oneof(
        fc.constantFrom(...values),
        fc.constantFrom(...values).map((v) => JSON.stringify(v).slice(1, -1)),
        fc
          .constantFrom(...values)
          .chain((v) => fc.nat(v.length).map((length) => v.slice(0, length))),
        fc.string({ maxLength: 4 }),
        fc.string({ maxLength: 3, unit: fc.constantFrom('a', 'b', '"', '\\') }),
      ),
      { maxLength: 8 },
    )
    .map((parts) => parts.join(''));
const secretsWith = <T>(make: (values: readonly string[]) => fc.Arbitrary<T>) =>
  secrets.chain((values) => fc.tuple(fc.constant(values), make(values)));

const treeWith = (values: readonly string[]): fc.Arbitrary<JsonValue> =>
  fc.letrec<{ tree: JsonValue }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 4, depthSize: 'small' },
      textWith(values),
      fc.constantFrom(true, false, null, 1234, 0.5, -1e21),
      fc.array(tie('tree'), { maxLength: 4 }),
      fc.dictionary(fc.oneof(fc.constantFrom(...values), fc.string()), tie('tree'), { maxKeys: 4 }),
    ),
  })).tree;

/** Everything but texts, which become `''`. */
const shapeOf = (value: JsonValue): unknown => {
  if (typeof value === 'string') return '';
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map(shapeOf);
  return Object.entries(value).map(([key, inner]) => [key, shapeOf(inner)]);
};

const textsIn = (value: JsonValue): string[] => {
  if (typeof value === 'string') return [value];
  if (value === null || typeof value !== 'object') return [];
  return Object.values(value).flatMap(textsIn);
};

function expectMasked(text: string, values: readonly string[]): void {
  for (const value of values) {
    expect(text).not.toContain(value);
    expect(text).not.toContain(JSON.stringify(value).slice(1, -1));
  }
}

describe('Redactor', () => {
  it('masks a secret wherever it stands in text', () => {
    fc.assert(
      fc.property(secretsWith(textWith), ([values, text]) => {
        expectMasked(new Redactor(values).mask(text), values);
      }),
    );
  });

  it('leaves any tree of JSON what it was, but for secrets in its texts', () => {
    fc.assert(
      fc.property(secretsWith(treeWith), ([values, tree]) => {
        const redactor = new Redactor(values);
        const plain = JSON.parse(JSON.stringify(tree)) as JsonValue;
        const masked = redactor.maskJson(plain);
        expect(shapeOf(masked)).toEqual(shapeOf(plain));
        for (const text of textsIn(masked)) expectMasked(text, values);
        expect(JSON.parse(redactor.stringify(plain))).toEqual(masked);
      }),
    );
  });

  it.each(words.slice(0, 6))('breaks nothing where the secret is %s', (value) => {
    const tree = { ok: true, no: false, none: null, jobs: [1234], name: `it is ${value}!` };
    expect(new Redactor([value]).maskJson(tree)).toEqual({ ...tree, name: `it is ${MASK}!` });
  });

  it('masks the longer of two secrets whole, and those that overlap as one', () => {
    expect(new Redactor(['abcd', 'abcdefgh']).mask('x abcdefgh y abcd')).toBe(
      `x ${MASK} y ${MASK}`,
    );
    expect(new Redactor(['abcd', 'cdefgh']).mask('x abcdefgh y')).toBe(`x ${MASK} y`);
  });

  it('leaves short values alone, which would hit half of all words', () => {
    expect(new Redactor(['a', '']).mask('banana')).toBe('banana');
  });

  it("leaves fctl's own words what they are, where a value or a word is one as a whole", () => {
    const redactor = new Redactor(['RUNNING', 'session', 'CANCEL', 'a RUNNING b']);
    const status = { state: 'RUNNING', mode: 'session', before: 'CANCELED', RUNNING: 1 };
    expect(redactor.maskJson(status)).toEqual(status);
    expect(JSON.parse(redactor.stringify(status))).toEqual(status);
    const told = { name: 'my RUNNING job', about: 'a session', ids: ['CANCEL', 'RUNNING2'] };
    const masked = { name: `my ${MASK} job`, about: `a ${MASK}`, ids: [MASK, `${MASK}2`] };
    expect(redactor.maskJson(told)).toEqual(masked);
    expect(JSON.parse(redactor.stringify(told))).toEqual(masked);
    const said = 'demo  RUNNING  CANCELED\nnot-RUNNING, RUNNINGS and CANCEL, a RUNNING b';
    expect(redactor.maskSaid(said)).toBe(
      `demo  RUNNING  CANCELED\nnot-${MASK}, ${MASK}S and ${MASK}, ${MASK}`,
    );
    expect(redactor.mask('demo  RUNNING')).toBe(`demo  ${MASK}`);
  });

  it.each([
    ['clusters', ClusterState],
    ['applications', ApplicationStatus],
    ['jobs', JobStatus],
    ['tasks', ExecutionState],
    ['releases', ReleaseStatus],
    ['failures', FailureKind],
    ['processes', Role],
  ])('knows all states of %s', (_what, states) => {
    for (const state of Object.values(states)) {
      expect(new Redactor([state]).maskJson([state])).toEqual([state]);
    }
  });

  it('learns more while it is in use', () => {
    const redactor = new Redactor();
    redactor.add(['hunter2']);
    expect(String(redactor.maskBytes(Buffer.from('it is hunter2')))).toBe(`it is ${MASK}`);
  });

  it('leaves bytes that are no text as they are, beside a secret too', () => {
    const bytes = Buffer.from([0xff, 0xfe, 0x00]);
    const redactor = new Redactor(['hunter2']);
    expect(redactor.maskBytes(bytes)).toBe(bytes);
    const both = Buffer.concat([bytes, Buffer.from('hunter2'), bytes]);
    expect(redactor.maskBytes(both)).toEqual(Buffer.concat([bytes, Buffer.from(MASK), bytes]));
  });
});

describe('a stream that is masked', () => {
  const cuts = fc.array(fc.nat(200), { maxLength: 12 });
  const chunksOf = (text: string, at: readonly number[]): Buffer[] => {
    const bytes = Buffer.from(text);
    const ends = [...at.filter((end) => end < bytes.length), bytes.length].sort((a, b) => a - b);
    return ends.map((end, index) => bytes.subarray(index === 0 ? 0 : ends[index - 1], end));
  };

  it('is the masked text, wherever it is cut', () => {
    // One with asterisks at its ends can be made by a mask itself.
    const usual = secretsWith(textWith).filter(([values]) => !values.join('').includes('*'));
    fc.assert(
      fc.property(usual, cuts, ([values, text], at) => {
        const redactor = new Redactor(values);
        const stream = redactor.stream();
        const out = [...chunksOf(text, at).map((chunk) => stream.write(chunk)), stream.end()];
        expect(Buffer.concat(out).toString()).toBe(String(redactor.maskBytes(Buffer.from(text))));
        expectMasked(Buffer.concat(out).toString(), values);
      }),
      { numRuns: 500 },
    );
  });

  it('holds back nothing but what may be the beginning of a secret', () => {
    const stream = new Redactor(['hunter2']).stream();
    expect(String(stream.write(Buffer.from('Password: ')))).toBe('Password: ');
    expect(String(stream.write(Buffer.from('a hun')))).toBe('a ');
    expect(String(stream.write(Buffer.from('ger')))).toBe('hunger');
    expect(String(stream.write(Buffer.from(' hunter')))).toBe(' ');
    expect(String(stream.write(Buffer.from('2!')))).toBe(`${MASK}!`);
    expect(String(stream.write(Buffer.from('hunter')))).toBe('');
    expect(String(stream.end())).toBe('hunter');
  });

  it('does not hold more the longer secrets overlap each other', () => {
    const stream = new Redactor(['aaaa']).stream();
    const chunk = Buffer.alloc(1000, 'a');
    const started = performance.now();
    for (let i = 0; i < 200; i++) expect(stream.write(chunk).length).toBe(0);
    expect(String(stream.write(Buffer.from('b')))).toBe(`${MASK}b`);
    expect(performance.now() - started).toBeLessThan(5000);
  });
});

describe('splitSecrets', () => {
  it('takes out what joinSecrets puts back', () => {
    const pointersOf = (value: unknown, at: string): string[] => {
      if (typeof value === 'string' || typeof value === 'number') return [at];
      if (value === null || typeof value !== 'object') return [];
      return Object.entries(value).flatMap(([key, inner]) =>
        pointersOf(inner, `${at}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`),
      );
    };
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.nat(), (any, seed) => {
        const args = JSON.parse(JSON.stringify(any)) as JsonObject;
        const chosen = pointersOf(args, '').filter((_, index) => (seed >> (index % 31)) & 1);
        const { masked, secrets } = splitSecrets(args, chosen);
        expect(Object.keys(secrets).sort()).toEqual([...new Set(chosen)].sort());
        for (const pointer of chosen) {
          const at = pointer.split('/').slice(1);
          const found = at.reduce<unknown>(
            (value, part) =>
              (value as Record<string, unknown>)[part.replaceAll('~1', '/').replaceAll('~0', '~')],
            masked,
          );
          expect(found).toBe(MASK);
        }
        expect(joinSecrets(masked, secrets)).toEqual(args);
      }),
    );
  });
});
