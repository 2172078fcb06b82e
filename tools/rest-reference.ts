/**
 * Makes `docs/rest.md`: what becomes of every endpoint of Flink's REST API. The table below is checked
 * against the router and against the list of endpoints that Flink declares, in
 * `test/runtime/rest/reference.test.ts`.
 */
import { taskMetricRows } from '../src/contract/metrics/task-metrics.ts';

export interface EndpointClaim {
  /** `GET /jobs/:jobid`, in Flink's spelling. */
  readonly endpoint: string;
  /** `different`: answered, but not in every respect as by Flink. */
  readonly state: 'supported' | 'different' | 'absent';
  /** How it differs, or why it is absent; empty when it is supported. */
  readonly note: string;
}

const supported = (endpoint: string, note = ''): EndpointClaim => ({
  endpoint,
  state: 'supported',
  note,
});
const different = (endpoint: string, note: string): EndpointClaim => ({
  endpoint,
  state: 'different',
  note,
});
const absent = (endpoint: string, note: string): EndpointClaim => ({
  endpoint,
  state: 'absent',
  note,
});

const noCheckpoints = 'There are no checkpoints yet: answered as for a job that takes none.';
const refusedLater =
  'Taken with 202, as by Flink; the operation then fails and says that there is no checkpointing.';
const noAdaptive =
  'Always 404, as in Flink for a job without the adaptive scheduler: the parallelism of a job stays.';
const unknown404 = 'An unknown one is 404, not 500.';
const noProfiler = 'Always empty: there is no profiler.';
const noProfilerStart = 'Always 400: there is no profiler; Node.js has one (`--cpu-prof`).';
const noProfile = 'Always 404: there is no profiler.';
const attempts = 'Only the current or last attempt is known; another one is 404.';
const metricNames =
  "Flink's names; of its names those that have a meaning here, see [metrics.md](metrics.md). Rates are of the last 10 s, not 60.";
/** Fields of vertices that Flink does not have: `a`, `b` and `c`. */
const ownFields = new Intl.ListFormat('en-GB').format(
  taskMetricRows.flatMap(({ vertexField }) =>
    vertexField === undefined ? [] : [`\`${vertexField}\``],
  ),
);
const v8 =
  "Flink's names for a JVM, with the figures of V8: `Heap` is the heap of the main thread, `Direct` the buffers outside of it, `NonHeap` what else the process occupies.";
const logTail = 'The last 16 MiB of a larger file. JSON lines.';
/** A "jar" is an application bundle. */
const jar =
  'A "jar" is an application bundle, as `fctl bundle` makes it; `main()` runs on the JobManager. In sessions only; elsewhere 404.';
const jarRun =
  'An unknown jar is 404, an unknown entry or a `main()` that throws 400, not 500. `entryClass` is `main` or the name of a job. Arguments are a JSON object or `--name value`; `programArgs`, which the Web UI sends, count. A savepoint path or a `flinkConfiguration` is 400.';
const threads =
  'What each thread is about, not its stack, which JavaScript cannot see: what the main thread waits for, which tasks a slot runs.';
const vertex = 'GET /jobs/:jobid/vertices/:vertexid';

/** In the order of the document. */
export const endpointClaims: readonly EndpointClaim[] = [
  supported('GET /config'),
  supported('GET /overview'),
  different(
    'DELETE /cluster',
    'Answers 202, not 200; TaskManagers end too. In application mode the application is cancelled.',
  ),

  supported('GET /jobs'),
  supported(
    'GET /jobs/overview',
    'A job lost with its JobManager is `FAILED`, with `fctl-state: LOST`.',
  ),
  different('GET /jobs/metrics', metricNames),
  different(
    'POST /jobs',
    'Always 400 with a sentence that says what to do: a Java job graph cannot run here. Our own is `POST /fctl/v1/jobs`.',
  ),
  supported(
    'GET /jobs/:jobid',
    `Never cached. Vertices have ${ownFields} besides. Sources count what they read as received, where Flink says 0.`,
  ),
  different('PATCH /jobs/:jobid', '`mode=stop` is 400, not a redirect to nowhere.'),
  supported(
    'GET /jobs/:jobid/yarn-cancel',
    'How the Web UI cancels a job. Links of other pages cannot.',
  ),
  different('GET /jobs/:jobid/yarn-stop', '400, as `mode=stop`.'),
  different('GET /jobs/:jobid/status', unknown404),
  supported('GET /jobs/:jobid/plan'),
  supported(
    'GET /jobs/:jobid/config',
    '`user-config` has the arguments of the job, secrets masked.',
  ),
  supported(
    'GET /jobs/:jobid/exceptions',
    'There are no failure labels, so a `failureLabelFilter` leaves nothing.',
  ),
  different('GET /jobs/:jobid/accumulators', 'Never Java-serialized.'),
  different(
    'GET /jobs/:jobid/execution-result',
    '`accumulator-results` is empty, as its values are Java-serialized.',
  ),
  different('GET /jobs/:jobid/metrics', metricNames),
  supported('GET /jobs/:jobid/jobmanager/config'),
  different('GET /jobs/:jobid/jobmanager/environment', 'Node.js in the place of the JVM.'),
  supported('GET /jobs/:jobid/jobmanager/log-url'),
  supported('GET /jobs/:jobid/taskmanagers/:taskmanagerid/log-url'),
  different(
    'GET /jobs/:jobid/resource-requirements',
    "What the parallelism is, as both bounds; Flink's default scheduler answers 500.",
  ),
  different(
    'PUT /jobs/:jobid/resource-requirements',
    'Checked as by Flink, then refused with 400, not 500: a job keeps its parallelism.',
  ),
  different('GET /jobs/:jobid/rescales/config', noAdaptive),
  different('GET /jobs/:jobid/rescales/overview', noAdaptive),
  different('GET /jobs/:jobid/rescales/summary', noAdaptive),
  different('GET /jobs/:jobid/rescales/history', noAdaptive),
  different('GET /jobs/:jobid/rescales/details/:rescaleuuid', noAdaptive),
  different(
    'PATCH /jobs/:jobid/rescaling',
    'Disabled as in Flink; 400, not 503, which clients repeat.',
  ),
  different('GET /jobs/:jobid/rescaling/:triggerid', 'Disabled as in Flink; 400, not 503.'),
  different(
    'PATCH /jobs/:jobid/clientHeartbeat',
    'Taken, and without effect: a job outlives its client.',
  ),
  absent(
    'POST /jobs/:jobid/coordinators/:operatorUid',
    "Internal to Flink: a Java-serialized request to a source's or sink's coordinator.",
  ),

  supported(vertex),
  supported(`${vertex}/accumulators`),
  supported(`${vertex}/backpressure`),
  different(`${vertex}/flamegraph`, 'Always "disabled", as with `rest.flamegraph.enabled: false`.'),
  different(`${vertex}/jm-operator-metrics`, 'Always empty.'),
  different(`${vertex}/metrics`, metricNames),
  supported(`${vertex}/watermarks`),
  supported(`${vertex}/taskmanagers`),
  supported(`${vertex}/subtasktimes`),
  supported(`${vertex}/subtasks/accumulators`),
  different(`${vertex}/subtasks/metrics`, metricNames),
  supported(`${vertex}/subtasks/:subtaskindex`),
  different(`${vertex}/subtasks/:subtaskindex/attempts/:attempt`, attempts),
  different(`${vertex}/subtasks/:subtaskindex/attempts/:attempt/accumulators`, attempts),
  different(`${vertex}/subtasks/:subtaskindex/metrics`, metricNames),

  different('GET /jobs/:jobid/checkpoints', noCheckpoints),
  different('GET /jobs/:jobid/checkpoints/config', noCheckpoints),
  different('GET /jobs/:jobid/checkpoints/details/:checkpointid', 'Always 404: there is none.'),
  different(
    'GET /jobs/:jobid/checkpoints/details/:checkpointid/subtasks/:vertexid',
    'Always 404: there is none.',
  ),
  different('POST /jobs/:jobid/checkpoints', refusedLater),
  supported('GET /jobs/:jobid/checkpoints/:triggerid'),
  different('POST /jobs/:jobid/savepoints', refusedLater),
  different('POST /jobs/:jobid/stop', refusedLater),
  supported('GET /jobs/:jobid/savepoints/:triggerid'),
  different(
    'POST /savepoint-disposal',
    'Taken with 200, as by Flink; the operation then fails: there are no savepoints.',
  ),
  supported('GET /savepoint-disposal/:triggerid'),

  supported('GET /applications/overview'),
  different('GET /applications/:applicationid', unknown404),
  supported('GET /applications/:applicationid/exceptions'),
  supported('GET /applications/:applicationid/jobmanager/config'),
  supported('POST /applications/:applicationid/cancel'),

  different('GET /jars', jar),
  different(
    'POST /jars/upload',
    'What is no bundle, or cannot be evaluated, is 400; whatever its file is called. At most 64 MiB.',
  ),
  supported('DELETE /jars/:jarid'),
  different('GET /jars/:jarid/plan', jarRun),
  different('POST /jars/:jarid/plan', jarRun),
  different('POST /jars/:jarid/run', jarRun),
  different('POST /jars/:jarid/run-application', jarRun),

  supported('GET /jobmanager/config', 'The resolved configuration of the cluster, secrets masked.'),
  different('GET /jobmanager/environment', 'Node.js in the place of the JVM.'),
  different('GET /jobmanager/metrics', v8),
  different('GET /jobmanager/thread-dump', threads),
  different('GET /jobmanager/log', logTail),
  different('GET /jobmanager/stdout', 'What `main()` printed. The last 16 MiB of a larger file.'),
  supported('GET /jobmanager/logs'),
  different('GET /jobmanager/logs/:filename', logTail),
  different('GET /jobmanager/profiler', noProfiler),
  different('POST /jobmanager/profiler', noProfilerStart),
  different('GET /jobmanager/profiler/:filename', noProfile),

  supported('GET /taskmanagers'),
  different('GET /taskmanagers/:taskmanagerid', unknown404),
  different('GET /taskmanagers/metrics', v8),
  different('GET /taskmanagers/:taskmanagerid/metrics', v8),
  different('GET /taskmanagers/:taskmanagerid/thread-dump', threads),
  different('GET /taskmanagers/:taskmanagerid/log', logTail),
  different(
    'GET /taskmanagers/:taskmanagerid/stdout',
    'What tasks printed. The last 16 MiB of a larger file.',
  ),
  supported('GET /taskmanagers/:taskmanagerid/logs'),
  different('GET /taskmanagers/:taskmanagerid/logs/:filename', `${logTail} ${unknown404}`),
  different('GET /taskmanagers/:taskmanagerid/profiler', noProfiler),
  different('POST /taskmanagers/:taskmanagerid/profiler', noProfilerStart),
  different('GET /taskmanagers/:taskmanagerid/profiler/:filename', noProfile),

  supported('GET /datasets', 'There are none.'),
  supported('DELETE /datasets/:datasetid', 'There are none, so none is left.'),
  supported('GET /datasets/delete/:triggerid'),
];

const introduction = `# REST API

The JobManager speaks the REST API v1 of Apache Flink 2.3, so that Flink's own command line, its Web UI and tools written for Flink work against it. This page says what becomes of each of Flink's endpoints; Flink's documentation says what they mean. It is generated by \`npm run docs\`.

- Every path may begin with \`/v1\`. Bodies on GET, empty path segments and unknown fields of bodies do not matter.
- Who may ask is described in [architecture.md](architecture.md#who-may-ask-the-jobmanager).
- Every error is \`{"errors": ["…"]}\`. What a request can cause is never a 500: where Flink answers 500 to a name that it does not know, this is 404.
- HEAD is answered wherever GET is.
- Until the JobManager leads and has read what is known of earlier jobs (\`/fctl/v1/ready\`), everything but logins, blobs and \`/fctl/v1/record\` is answered 503 with \`Retry-After\`, as by Flink during an election.
- Our own extensions are below \`/fctl/v1\`.
`;

/** `docs/rest.md` */
export function restReference(): string {
  const count = (state: EndpointClaim['state']) =>
    endpointClaims.filter((claim) => claim.state === state).length;
  const rows = endpointClaims.map(
    ({ endpoint, note, state }) => `| \`${endpoint}\` | ${state} | ${note} |`,
  );
  return [
    introduction,
    `Supported: ${count('supported')} endpoints. Different: ${count('different')}. Absent: ${count('absent')}.`,
    '',
    '| endpoint | | |',
    '|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}
