import { describe, expect, it } from 'vitest';
import { findShapeProblem } from '../../src/flink-rest/shape.ts';
import { flinkShapes } from '../../src/flink-rest/shapes.ts';
import { recordedBodies, requiredFields } from '../reference/flink-rest/recordings.ts';

const endpoints: Readonly<Record<keyof typeof flinkShapes, readonly string[]>> = {
  config: ['GET /config'],
  overview: ['GET /overview'],
  configEntries: ['GET /jobmanager/config'],
  metrics: [
    'GET /jobs/:jobid/metrics',
    'GET /jobs/:jobid/vertices/:vertexid/metrics',
    'GET /jobs/:jobid/vertices/:vertexid/watermarks',
    'GET /jobmanager/metrics',
    'GET /taskmanagers/:taskmanagerid/metrics',
  ],
  taskManagers: ['GET /taskmanagers'],
  taskManager: ['GET /taskmanagers/:taskmanagerid'],
  jobs: ['GET /jobs'],
  jobsOverview: ['GET /jobs/overview'],
  job: ['GET /jobs/:jobid'],
  jobStatus: ['GET /jobs/:jobid/status'],
  jobPlan: ['GET /jobs/:jobid/plan'],
  jobConfig: ['GET /jobs/:jobid/config'],
  jobExceptions: ['GET /jobs/:jobid/exceptions'],
  jobAccumulators: ['GET /jobs/:jobid/accumulators'],
  vertex: ['GET /jobs/:jobid/vertices/:vertexid'],
};

describe.each(Object.entries(endpoints))('the shape of %s', (name, of) => {
  const shape = flinkShapes[name as keyof typeof flinkShapes];

  it('fits what a real Flink answers', () => {
    for (const endpoint of of) {
      const bodies = recordedBodies(endpoint);
      expect(bodies).not.toEqual([]);
      for (const body of bodies) expect(findShapeProblem(body, shape)).toBeNull();
    }
  });

  it('needs nothing that Flink’s own client does without', () => {
    for (const endpoint of of) {
      const needed = requiredFields(endpoint);
      const unneeded = Object.keys(shape).filter(
        (field) => !needed.some((path) => path === field || path.startsWith(field)),
      );
      // Flink's client can do without a plan and a history; there is nothing else in these answers.
      expect(unneeded.filter((field) => !/^\/(?:plan|exceptionHistory)$/.test(field))).toEqual([]);
    }
  });
});

describe('a shape', () => {
  const shape = { '/list[]/name': 'string', '/deep/flag': 'boolean' } as const;
  const problem = (body: unknown) => findShapeProblem(body, shape);

  it('names the first thing that is wrong', () => {
    expect(problem({ list: [{ name: 'a' }], deep: { flag: true, more: 1 } })).toBeNull();
    expect(problem({ list: [], deep: { flag: false } })).toBeNull();
    expect(problem({ list: [{ name: 'a' }, { name: 1 }] })).toBe(
      '/list[1]/name is number, not string',
    );
    expect(problem({ list: {} })).toBe('/list is object, not array');
    expect(problem({})).toBe('/list is missing');
    expect(problem({ list: [null], deep: {} })).toBe('/list[0] is null, not object');
    expect(problem({ list: [], deep: {} })).toBe('/deep/flag is missing');
  });
});
