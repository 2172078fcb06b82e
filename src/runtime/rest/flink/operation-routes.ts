/**
 * Checkpoints, savepoints and other operations that are triggered, then asked about. There are no
 * checkpoints yet: what is asked about them is answered as for a job that takes none.
 */
import { randomBytes } from 'node:crypto';
import {
  type OperationOutcome,
  OperationType,
  type OperationKey,
} from '../../jobmanager/dispatcher/operations.ts';
import { checkpointConfig, checkpointStatistics } from '../answers/checkpoints.ts';
import { failureCause } from '../answers/failure-cause.ts';
import { checkEpoch, hexId, jsonBody, pathNumber } from '../checks.ts';
import { badParameter, HttpError } from '../http-error.ts';
import { get, ok, type RestAnswer, type RestRequest, type Route } from '../router.ts';
import { requireJob, requireVertex } from './find.ts';

/** Answers a trigger. @param given by the client; `null`: it gave none. */
function trigger(
  { view }: RestRequest,
  key: Omit<OperationKey, 'triggerId'>,
  given: unknown,
  run: () => OperationOutcome,
): Readonly<Record<'request-id', string>> {
  const triggerId = triggerIdOf(given) ?? randomBytes(16).toString('hex');
  view.operations.trigger({ ...key, triggerId }, run);
  return { 'request-id': triggerId };
}

/** @throws HttpError 400. */
function triggerIdOf(given: unknown): string | null {
  if (given === undefined || given === null) return null;
  if (typeof given === 'string' && /^[0-9a-f]{32}$/i.test(given)) return given.toLowerCase();
  throw new HttpError(400, 'The triggerId must be 32 hex digits.');
}

/** @param missing said when there is no such operation. */
function status(
  { view }: RestRequest,
  key: OperationKey,
  missing = 'Operation not found under this key.',
): RestAnswer {
  const outcome = view.operations.outcome(key);
  if (outcome === null) throw new HttpError(404, missing);
  if (outcome.type === 'done') return ok({ status: { id: 'COMPLETED' }, operation: {} });
  const { javaClass, message } = outcome;
  const cause = failureCause(javaClass, message, `${javaClass}: ${message}`);
  // Flink spells it so for checkpoints only; at another one its clients ask again for ever.
  const field = key.type === OperationType.checkpoint ? 'failureCause' : 'failure-cause';
  return ok({ status: { id: 'COMPLETED' }, operation: { [field]: cause } });
}

/** Why a job cannot do what needs checkpoints. Flink, too, says so only when it is asked about it. */
function refuse({ view }: RestRequest, jobId: string, what: string): OperationOutcome {
  const job = view.job(jobId);
  if (job === null) {
    return {
      type: 'failed',
      javaClass: 'org.apache.flink.runtime.messages.FlinkJobNotFoundException',
      message: `Could not find Flink job (${jobId})`,
    };
  }
  const message =
    job.endTime >= 0
      ? `Job ${jobId} has already reached ${job.state}.`
      : `Job ${jobId} cannot ${what}: this JobManager has no checkpointing. ` +
        'The job goes on; cancel it to end it without a savepoint.';
  return { type: 'failed', javaClass: 'java.lang.IllegalStateException', message };
}

async function triggerSavepoint(request: RestRequest): Promise<RestAnswer> {
  checkEpoch(request);
  const jobId = hexId(request, 'jobid');
  const { triggerId } = await jsonBody(request, 'SavepointTriggerRequestBody', {
    'target-directory': 'string',
    'cancel-job': 'boolean',
    formatType: 'string',
    triggerId: 'string',
  });
  const key = { type: OperationType.savepoint, jobId };
  const body = trigger(request, key, triggerId, () => refuse(request, jobId, 'take a savepoint'));
  return { status: 202, body };
}

async function stopWithSavepoint(request: RestRequest): Promise<RestAnswer> {
  checkEpoch(request);
  const jobId = hexId(request, 'jobid');
  const { triggerId } = await jsonBody(request, 'StopWithSavepointRequestBody', {
    targetDirectory: 'string',
    drain: 'boolean',
    formatType: 'string',
    triggerId: 'string',
  });
  const key = { type: OperationType.savepoint, jobId };
  const run = () => refuse(request, jobId, 'stop with a savepoint');
  return { status: 202, body: trigger(request, key, triggerId, run) };
}

const checkpointTypes: ReadonlySet<unknown> = new Set(['CONFIGURED', 'FULL', 'INCREMENTAL', null]);

async function triggerCheckpoint(request: RestRequest): Promise<RestAnswer> {
  checkEpoch(request);
  const jobId = hexId(request, 'jobid');
  const format = 'CheckpointTriggerRequestBody';
  const { checkpointType, triggerId } = await jsonBody(request, format, {
    checkpointType: 'string',
    triggerId: 'string',
  });
  if (!checkpointTypes.has(checkpointType ?? null)) {
    throw new HttpError(400, `Request did not match expected format ${format}.`);
  }
  const key = { type: OperationType.checkpoint, jobId };
  const body = trigger(request, key, triggerId, () => refuse(request, jobId, 'take a checkpoint'));
  return { status: 202, body };
}

async function disposeSavepoint(request: RestRequest): Promise<RestAnswer> {
  checkEpoch(request);
  const body = await jsonBody(request, 'SavepointDisposalRequest', {
    'savepoint-path': 'string',
    triggerId: 'string',
  });
  const path = body['savepoint-path'];
  if (typeof path !== 'string') {
    throw new HttpError(400, 'Field savepoint-path must not be omitted or be null.');
  }
  const run = (): OperationOutcome => ({
    type: 'failed',
    javaClass: 'org.apache.flink.util.FlinkException',
    message: `Could not dispose savepoint ${path}: this JobManager has no savepoints.`,
  });
  const key = { type: OperationType.savepointDisposal, jobId: null };
  return ok(trigger(request, key, body['triggerId'], run));
}

/** There are none, and so none is left when it has been deleted. */
function deleteDataset(request: RestRequest): RestAnswer {
  checkEpoch(request);
  hexId(request, 'datasetid');
  const key = { type: OperationType.datasetDeletion, jobId: null };
  return { status: 202, body: trigger(request, key, null, () => ({ type: 'done' })) };
}

function savepointStatus(request: RestRequest): RestAnswer {
  const jobId = hexId(request, 'jobid');
  const triggerId = hexId(request, 'triggerid');
  const missing = `There is no savepoint operation with triggerId=${triggerId} for job ${jobId}.`;
  return status(request, { type: OperationType.savepoint, jobId, triggerId }, missing);
}

function checkpointStatus(request: RestRequest): RestAnswer {
  const jobId = hexId(request, 'jobid');
  const triggerId = hexId(request, 'triggerid');
  const missing = `There is no checkpoint operation with triggerId=${triggerId} for job ${jobId}.`;
  return status(request, { type: OperationType.checkpoint, jobId, triggerId }, missing);
}

const statusOf = (type: OperationType) => (request: RestRequest) =>
  status(request, { type, jobId: null, triggerId: hexId(request, 'triggerid') });

function noCheckpoint(request: RestRequest): never {
  const id = pathNumber(request, 'checkpointid');
  if ('vertexid' in request.params) requireVertex(request);
  requireJob(request);
  throw new HttpError(404, `Could not find checkpointing statistics for checkpoint ${id}.`);
}

const noRescaling = (request: RestRequest): never => {
  hexId(request, 'jobid');
  const parallelism = request.query.get('parallelism');
  if (parallelism !== null && !/^\d{1,9}$/.test(parallelism)) {
    throw badParameter('query', 'parallelism', parallelism);
  }
  throw new HttpError(400, 'Rescaling is temporarily disabled. See FLINK-12312.');
};

const job = '/jobs/:jobid';
const checkpoint = `${job}/checkpoints/details/:checkpointid`;

export const operationRoutes: readonly Route[] = [
  get(`${job}/checkpoints`, (request) => {
    requireJob(request);
    return ok(checkpointStatistics());
  }),
  get(`${job}/checkpoints/config`, (request) => {
    requireJob(request);
    return ok(checkpointConfig());
  }),
  get(checkpoint, noCheckpoint),
  get(`${checkpoint}/subtasks/:vertexid`, noCheckpoint),
  { method: 'POST', pattern: `${job}/checkpoints`, handle: triggerCheckpoint },
  get(`${job}/checkpoints/:triggerid`, checkpointStatus),
  { method: 'POST', pattern: `${job}/savepoints`, handle: triggerSavepoint },
  { method: 'POST', pattern: `${job}/stop`, handle: stopWithSavepoint },
  get(`${job}/savepoints/:triggerid`, savepointStatus),
  { method: 'POST', pattern: '/savepoint-disposal', handle: disposeSavepoint },
  get('/savepoint-disposal/:triggerid', statusOf(OperationType.savepointDisposal)),
  get('/datasets', () => ok({ dataSets: [] })),
  { method: 'DELETE', pattern: '/datasets/:datasetid', handle: deleteDataset },
  get('/datasets/delete/:triggerid', statusOf(OperationType.datasetDeletion)),
  { method: 'PATCH', pattern: `${job}/rescaling`, handle: noRescaling },
  get(`${job}/rescaling/:triggerid`, noRescaling),
];
