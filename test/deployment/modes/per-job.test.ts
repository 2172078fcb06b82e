import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clusterIdPattern, parseClusterId } from '../../../src/contract/cluster-id.ts';
import { jobClusterId } from '../../../src/deployment/modes/per-job.ts';

describe('the id of a cluster for one job', () => {
  it('names the application, the run and the execute', () => {
    expect(jobClusterId(parseClusterId('flights'), '3fa9', 0)).toBe('flights-3fa9-1');
  });

  it('is valid for every application, run and execute', () => {
    const run = fc.stringMatching(/^[0-9a-f]{4}$/);
    const cluster = fc.stringMatching(clusterIdPattern).map(parseClusterId);
    fc.assert(
      fc.property(cluster, run, fc.nat(1e6), (application, ofRun, index) => {
        const id = jobClusterId(application, ofRun, index);
        expect(parseClusterId(id)).toBe(id);
        expect(id.endsWith(`-${ofRun}-${index + 1}`)).toBe(true);
        expect(application.startsWith(id.slice(0, id.indexOf(`-${ofRun}-`)))).toBe(true);
      }),
    );
  });
});
