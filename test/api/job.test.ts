import { describe, expect, test } from 'vitest';
import { type JobDefinition, collectJobs, defineJob, withSealedJobs } from '../../src/api/job.ts';
import { types } from '../../src/api/types.ts';

const nothing = () => {};

describe('a registry', () => {
  test('holds what the bundle defined while it was evaluated, and what it exports', async () => {
    const { exports, registry } = await collectJobs(async () => ({
      a: defineJob('a', nothing),
      b: defineJob('b', { args: types.record({ input: types.string }) }, nothing),
    }));
    expect([...registry.jobs.keys()]).toEqual(['a', 'b']);
    expect(registry.jobs.get('b')).toBe(exports.b);
    expect(registry.problems).toEqual([]);
  });

  test('of one bundle knows nothing of another', async () => {
    const first = await collectJobs(async () => ({ job: defineJob('same', nothing) }));
    const second = await collectJobs(async () => ({ job: defineJob('same', nothing) }));
    expect(first.registry.jobs.get('same')).toBe(first.exports.job);
    expect(second.registry.jobs.get('same')).toBe(second.exports.job);
    expect(second.registry.problems).toEqual([]);
  });

  test('is found again when a module is loaded twice, which evaluates it once', async () => {
    let module: { job: JobDefinition<void> } | undefined;
    const load = async () => (module ??= { job: defineJob('once', nothing) });
    const first = await collectJobs(load);
    const second = await collectJobs(load);
    expect(second.registry.jobs.get('once')).toBe(first.exports.job);
  });

  test('refuses a second job of one name', async () => {
    const { registry } = await collectJobs(async () => ({
      a: defineJob('delays', nothing),
      b: defineJob('delays', nothing),
    }));
    expect(registry.problems).toEqual([
      `two jobs have the name 'delays': give one of them another`,
    ]);
  });

  test('is not mixed with one that is still being filled', async () => {
    const gate = Promise.withResolvers<object>();
    const first = collectJobs(() => gate.promise);
    await expect(collectJobs(async () => ({}))).rejects.toThrow(
      /another application is being loaded/,
    );
    gate.resolve({});
    await first;
    await expect(collectJobs(async () => ({}))).resolves.toBeDefined();
  });

  test('is usable again after a bundle that could not be evaluated', async () => {
    await expect(collectJobs(() => Promise.reject(new SyntaxError('broken')))).rejects.toThrow(
      'broken',
    );
    const { registry } = await collectJobs(async () => ({ a: defineJob('a', nothing) }));
    expect(registry.jobs.size).toBe(1);
  });
});

describe('defineJob', () => {
  test('is refused while main() runs, and only then', async () => {
    await expect(withSealedJobs(async () => defineJob('late', nothing))).rejects.toThrow(
      /job 'late' is defined too late/,
    );
    expect(defineJob('after', nothing).name).toBe('after');
    await withSealedJobs(async () => {
      const { registry } = await collectJobs(async () => ({
        a: defineJob('another bundle', nothing),
      }));
      expect(registry.jobs.size).toBe(1);
      expect(() => defineJob('late', nothing)).toThrow(/too late/);
    });
  });

  test.each([
    ['an empty name', () => defineJob(' ', nothing), /1 to 200 characters/],
    [
      'no builder',
      () => defineJob('a', { args: types.record({}) }, undefined as never),
      /last argument is the builder/,
    ],
    [
      'arguments that are no record',
      () => defineJob('a', { args: types.string }, nothing),
      /is a record, not string/,
    ],
    [
      'int64 in a union of its arguments',
      () =>
        defineJob(
          'a',
          { args: types.record({ n: types.list(types.union(types.string, types.int64)) }) },
          nothing,
        ),
      /has no int64 in a union/,
    ],
    [
      'a map in its arguments',
      () => defineJob('a', { args: types.record({ m: types.map(types.string) }) }, nothing),
      /has no map/,
    ],
  ])('refuses %s', (_, define, message) => {
    expect(define).toThrow(message);
  });
});
