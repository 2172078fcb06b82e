/**
 * The processes of the counter engine. A JobManager leads, runs its jobs (`counters.ts`) and answers:
 *
 *     GET  /state      its jobs and their counts, as JSON
 *     POST /suspend    a list of `JobToSuspend`; 409 with why not
 *     POST /hello/NAME a worker is there
 *     POST /stop       all jobs are cancelled
 *
 * As a script it runs one process, which its environment describes.
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type IncomingMessage, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { randomBytes } from 'node:crypto';
import { text } from 'node:stream/consumers';
import type { KnownRestore } from '../../../src/contract/restore.ts';
import type { JobToSuspend } from '../../../src/engines/engine.ts';
import { DocumentName, PROTOCOL_VERSION, type RecordedJob } from '../../../src/record/documents.ts';
import { type Runs, readDocument, readRuns } from '../../../src/record/record.ts';
import {
  type ProcessOfTests,
  isScript,
  processOfEnvironment,
  runWorker,
  terminated,
} from '../process.ts';
import { type CounterConf, Counters } from './counters.ts';

export interface CounterProcess extends ProcessOfTests {
  readonly conf: CounterConf;
  readonly restore: readonly KnownRestore[];
}

/** @returns the exit code: 0 when the current release has its outcome in the record. */
export const runCounterProcess = (process: CounterProcess): Promise<number> =>
  process.name.startsWith('jobmanager') ? runJobManager(process) : runWorker(process);

async function runJobManager(process: CounterProcess): Promise<number> {
  const { bind, conf, port, record, release, restore, signal } = process;
  const before = await readRuns(record);
  if (before.isReleaseOver) return 0;
  if (conf.dies) return 1;
  const epoch = before.epoch + 1;
  const { goOn, ids } = await jobsOf(process, before);
  const counters = new Counters(conf, ids, goOn, restore);
  const ended = Promise.withResolvers<number>();
  const workers = new Set<string>();
  signal.addEventListener('abort', () => ended.resolve(terminated), { once: true });
  const writeOutcome = async (status: 'SUSPENDED' | 'CANCELED') => {
    const { version } = await readDocument(record, DocumentName.outcome);
    const times = { startTime: counters.startedAt, endTime: Date.now() };
    const outcome = { protocol: PROTOCOL_VERSION, status, ...times, error: null, jobs: [], epoch };
    await record.write(DocumentName.outcome, outcome, version);
  };
  const answer = async (request: IncomingMessage): Promise<[number, unknown]> => {
    if (request.url === '/suspend') {
      const why = await counters.suspend(JSON.parse(await text(request)) as JobToSuspend[]);
      if (why !== null) return [409, why];
      await writeOutcome('SUSPENDED');
    }
    if (request.url === '/stop') {
      counters.stop('CANCELED');
      await writeOutcome('CANCELED');
      setTimeout(() => ended.resolve(0), 50);
    }
    const [, verb, worker] = request.url!.split('/');
    if (verb === 'hello') workers.add(worker!);
    const { jobs, startedAt, state } = counters;
    return [200, { release, epoch, startedAt, state, jobs, workers: [...workers] }];
  };
  const server = createServer((request, response) => {
    void answer(request).then(([status, body]) =>
      response.writeHead(status).end(JSON.stringify(body)),
    );
  });
  try {
    server.listen(port, bind);
    await once(server, 'listening');
    await publish(process, before, epoch, (server.address() as AddressInfo).port, counters);
    return signal.aborted ? terminated : await ended.promise;
  } finally {
    counters.stop(null);
    server.close();
    server.closeAllConnections();
  }
}

/** A JobManager that is started again under its release goes on with its jobs. */
async function jobsOf({ conf, record, release }: CounterProcess, { isOver }: Runs) {
  const { value } = await readDocument(record, DocumentName.jobs);
  if (value !== null && value.release === release && !isOver)
    return { goOn: true, ids: value.jobs.map(({ id }) => id) };
  const ids = Array.from({ length: conf.jobs }, () => randomBytes(16).toString('hex'));
  return { goOn: false, ids };
}

async function publish(
  { bind, name, record, release }: CounterProcess,
  before: Runs,
  epoch: number,
  port: number,
  counters: Counters,
): Promise<void> {
  const rest = `http://${bind}:${port}`;
  const jobmanager = { resourceId: `${name}/${epoch}`, pid: 1 };
  const endpoint = { protocol: PROTOCOL_VERSION, rest, rpc: rest, epoch, jobmanager };
  await record.write(DocumentName.endpoint, endpoint, before.versionOf(DocumentName.endpoint));
  const { version } = await readDocument(record, DocumentName.jobs);
  const jobs = counters.jobs.map(({ id }, index) => recordedJob(id, index, counters.startedAt));
  const document = { protocol: PROTOCOL_VERSION, release, epoch, startTime: 0, jobs };
  await record.write(DocumentName.jobs, document, version);
}

const recordedJob = (id: string, executeIndex: number, startTime: number): RecordedJob => ({
  id,
  name: `count ${executeIndex}`,
  executeIndex,
  graphHash: '',
  argsHash: '',
  boundedness: 'unbounded',
  vertices: [{ id: 'v', name: 'v', parallelism: 1, maxParallelism: 1, stateful: true }],
  startTime,
  attempts: [],
  outcome: null,
  collected: {},
  collectedError: null,
});

/** What the files of a process say. */
export function parseFiles(read: (path: string) => string) {
  return {
    conf: JSON.parse(read('counter.json')) as CounterConf,
    restore: JSON.parse(read('restore.json')) as KnownRestore[],
  };
}

if (isScript(import.meta.url)) {
  const files = parseFiles((path) => readFileSync(`${process.argv[2]!}/${path}`, 'utf8'));
  process.exitCode = await runCounterProcess({ ...processOfEnvironment(), ...files });
}
