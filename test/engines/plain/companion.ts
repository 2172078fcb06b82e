/**
 * What stands in front of each process of the plain engine: it publishes the endpoint of a JobManager and how
 * its job ended, and leads a worker to it. As a script it runs one process, which its environment describes.
 */
import { readFile } from 'node:fs/promises';
import {
  DocumentName,
  type OutcomeDocument,
  PROTOCOL_VERSION,
} from '../../../src/record/documents.ts';
import { readDocument, readRuns } from '../../../src/record/record.ts';
import {
  type ProcessOfTests,
  isScript,
  processOfEnvironment,
  runWorker,
  terminated,
} from '../process.ts';
import { type Conf, parseConf } from './conf.ts';
import { PlainServer } from './server.ts';

export interface PlainProcess extends ProcessOfTests {
  readonly conf: Conf;
}

/** @returns the exit code: 0 when the current release has its outcome in the record. */
export const runPlainProcess = (process: PlainProcess): Promise<number> =>
  process.name.startsWith('jobmanager') ? runJobManager(process) : runWorker(process);

async function runJobManager(process: PlainProcess): Promise<number> {
  const { bind, conf, name, port, record, release, signal } = process;
  const before = await readRuns(record);
  if (before.isReleaseOver) return 0;
  const epoch = before.epoch + 1;
  const server = new PlainServer(conf, {
    cluster: conf.get('cluster')!,
    release,
    epoch: String(epoch),
  });
  try {
    const rest = `http://${bind}:${await server.listen(bind, port)}`;
    const endpoint = {
      protocol: PROTOCOL_VERSION,
      rest,
      rpc: rest,
      epoch,
      jobmanager: { resourceId: `${name}/${epoch}`, pid: 1 },
    };
    await record.write(DocumentName.endpoint, endpoint, before.versionOf(DocumentName.endpoint));
    const stopped = Promise.withResolvers<null>();
    signal.addEventListener('abort', () => stopped.resolve(null), { once: true });
    if (signal.aborted) return terminated;
    const state = await Promise.race([server.ended, stopped.promise]);
    if (state === null) return terminated;
    const outcome: OutcomeDocument = {
      protocol: PROTOCOL_VERSION,
      status: state === 'FINISHED' ? 'SUCCEEDED' : 'CANCELED',
      startTime: server.startedAt,
      endTime: Date.now(),
      error: null,
      jobs: [],
      epoch,
    };
    const { version } = await readDocument(record, DocumentName.outcome);
    await record.write(DocumentName.outcome, outcome, version);
    return 0;
  } finally {
    server.close();
  }
}

if (isScript(import.meta.url)) {
  const conf = parseConf(await readFile(process.argv[2]!, 'utf8'));
  process.exitCode = await runPlainProcess({ ...processOfEnvironment(), conf });
}
