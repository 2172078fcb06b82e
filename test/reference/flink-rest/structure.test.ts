import { describe, expect, it } from 'vitest';
import { recordedBodies, recordings, requiredFields } from './recordings.ts';
import { differences, structureOf } from './structure.ts';

const expected = structureOf([
  { id: 'a', time: 1, list: [{ x: 1 }], state: 'RUNNING', map: { k: '1' } },
  { id: 'b', time: null, list: [{ x: 2, y: true }], map: {} },
]);
const like = { id: 'c', time: 3, list: [{ x: 1 }], map: {} };

describe('the comparison of structures', () => {
  it('finds none in what it was made of', () => {
    for (const { endpoint } of recordings) {
      const bodies = recordedBodies(endpoint);
      for (const body of bodies) expect(differences(body, structureOf(bodies))).toEqual([]);
    }
  });

  it('allows what only some have, and null where some have it', () => {
    expect(differences({ ...like, time: null, list: [{ x: 1, y: false }] }, expected)).toEqual([]);
  });

  it('names keys that are missing, unknown or of another type', () => {
    const { id: _, ...without } = like;
    expect(differences(without, expected)).toEqual(['/id is missing']);
    expect(differences({ ...like, more: 1 }, expected)).toEqual(['/more is unknown to Flink']);
    expect(differences({ ...like, id: 7 }, expected)).toEqual(['/id is number, not string']);
    expect(differences({ ...like, list: [{ x: '1' }] }, expected)).toEqual([
      '/list[]/x is string, not number',
    ]);
    expect(differences([], expected)).toEqual(['/ is array, not object']);
  });

  it('knows maps, additions and words', () => {
    const rules = { maps: ['/map'], additions: ['/ours'], words: { state: ['RUNNING'] } };
    const good = { ...like, map: { other: 'v' }, ours: 1, state: 'RUNNING' };
    expect(differences(good, expected, rules)).toEqual([]);
    expect(differences({ ...good, map: { other: 1 } }, expected, rules)).toEqual([
      '/map/other is number, not string',
    ]);
    expect(differences({ ...good, state: 'LOST' }, expected, rules)).toEqual([
      "/state is 'LOST', which is none of RUNNING",
    ]);
  });

  it('knows what clients need', () => {
    expect(requiredFields('GET /jobs/overview')).toContain('/jobs[]/tasks/total');
    expect(requiredFields('GET /jobs/overview')).not.toContain('/jobs[]/jobType');
  });
});
