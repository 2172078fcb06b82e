/** A session as REST sees it, with an uploaded application: nothing is evaluated, and nothing runs. */
import type { JobGraph } from '../../../src/graph/job-graph.ts';
import type {
  ClusterView,
  JarApplicationView,
  JarRun,
  Jars,
} from '../../../src/runtime/jobmanager/views/cluster-view.ts';
import { type Jar, JarError } from '../../../src/runtime/jobmanager/dispatcher/jars.ts';
import { fakeView, jobId } from './fake-view.ts';

export const jarId = '544d4b98-0da4-47e3-a2e3-2bf9368b611d_demo.mjs';
export const jarApplicationId = 'c1767e4d96b31d5af9d6e7ffe5e3c187';

const uploaded = 1_795_371_124_720;
const jar: Jar = {
  id: jarId,
  name: 'demo.mjs',
  uploaded,
  entries: [
    { name: 'main', job: null },
    { name: 'numbers', job: 'numbers' },
  ],
  file: '/none/bundle.mjs',
  hash: 'b'.repeat(64),
};

const application: JarApplicationView = {
  id: jarApplicationId,
  name: 'demo',
  startTime: uploaded,
  jobIds: [jobId],
  isCanceled: false,
  mainEndTime: uploaded + 100,
  error: null,
};

/** Has one; `runs` are what was asked to be run or planned. Content that begins with `no` is refused. */
export function fakeJars(graph: JobGraph): Jars & { readonly runs: JarRun[] } {
  const runs: JarRun[] = [];
  const jars = new Map([[jarId, jar]]);
  return {
    runs,
    list: async () => [...jars.values()],
    find: async (id) => jars.get(id) ?? null,
    add: async (name, content) => {
      if (Buffer.from(content).toString().startsWith('no')) throw new JarError('it is none');
      return { ...jar, id: `544d4b98-0da4-47e3-a2e3-000000000000_${name}` };
    },
    remove: async (id) => jars.delete(id),
    plan: async (_, run) => {
      runs.push(run);
      return { type: 'planned', graph };
    },
    run: async (_, run) => {
      runs.push(run);
      return { type: 'submitted', jobId, applicationId: jarApplicationId };
    },
    start: async (_, run) => {
      runs.push(run);
      return { type: 'started', applicationId: jarApplicationId };
    },
    applications: () => [application],
    cancel: () => ({ type: 'accepted' }),
  };
}

/** With a job that runs, of an application that was uploaded. */
export function sessionView(
  changes: Partial<ClusterView> = {},
): ClusterView & { readonly jars: ReturnType<typeof fakeJars> } {
  const view = fakeView('running');
  const jars = fakeJars(view.job(jobId)!.graph);
  const info = () => ({ ...view.info(), mode: 'session', application: null });
  return { ...view, info, ...changes, jars };
}
