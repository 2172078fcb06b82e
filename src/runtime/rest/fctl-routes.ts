/** Our extensions under `/fctl/v1`: the table in `contract/fctl-rest.ts`. */
import { DocumentName } from '../../record/documents.ts';
import { shownDocuments } from '../../record/drivers/http.ts';
import {
  type SubmitJobRequest,
  UPLOAD_ACTIVE_HEADER,
  UPLOAD_OFFSET_HEADER,
} from '../../contract/fctl-rest.ts';
import { READY_PATH } from '../../contract/runtime-config.ts';
import { accepted, checkEpoch, hexId, wholeNumber } from './checks.ts';
import { HttpError } from './http-error.ts';
import { get, ok, type RestAnswer, type RestRequest, type Route } from './router.ts';

const maxWaitMs = 60_000;

function ready({ view }: RestRequest): RestAnswer {
  if (!view.ready) throw new HttpError(503, 'This JobManager does not lead yet.');
  return ok({});
}

function shutDown(request: RestRequest): RestAnswer {
  checkEpoch(request);
  return accepted(request.view.shutDown());
}

function cancelApplication(request: RestRequest): RestAnswer {
  checkEpoch(request);
  return accepted(request.view.cancelApplication());
}

async function submitJob(request: RestRequest): Promise<RestAnswer> {
  checkEpoch(request);
  const body = (await request.json()) as Partial<SubmitJobRequest> | null;
  const id = body?.jobId;
  if (typeof id !== 'string' || !/^[0-9a-f]{32}$/.test(id)) {
    throw new HttpError(400, 'jobId must be 32 hex digits');
  }
  const result = await request.view.submitJob(body as SubmitJobRequest);
  return accepted(result, result.type === 'accepted' ? { jobId: result.jobId } : {});
}

async function jobResult(request: RestRequest): Promise<RestAnswer> {
  const id = hexId(request, 'jobid');
  const waitMs = Math.min(maxWaitMs, wholeNumber(request, 'wait', 0));
  const result = await request.view.jobResult(id, waitMs);
  if (result === null) throw new HttpError(404, `Job ${id} not found`);
  return { ...ok(result), verbatim: true }; // for main(), which has given us the secrets
}

function jobAttempts(request: RestRequest): RestAnswer {
  const id = hexId(request, 'jobid');
  const attempts = request.view.jobAttempts(id);
  if (attempts === null) throw new HttpError(404, `Job ${id} not found`);
  return ok(attempts);
}

function blobHash({ params }: RestRequest): string {
  const hash = params['hash']!;
  if (/^[0-9a-f]{64}$/.test(hash)) return hash;
  throw new HttpError(400, 'A blob is named by the SHA-256 of its content, in hex.');
}

async function readBlob(request: RestRequest): Promise<RestAnswer> {
  const hash = blobHash(request);
  const found = await request.view.blobs.find(hash);
  if (found !== null) return { status: 200, ...found };
  throw new HttpError(404, `There is no blob ${hash}`, await partHeaders(request, hash));
}

async function writeBlob(request: RestRequest): Promise<RestAnswer> {
  const hash = blobHash(request);
  const offset = contentOffset(request);
  const result = await request.view.blobs.put(hash, request.body(), offset);
  switch (result) {
    case 'created':
    case 'exists':
      return { status: result === 'created' ? 201 : 200, body: {} };
    case 'hash-differs':
      throw new HttpError(400, 'The content does not have this hash.');
    case 'other-offset':
    case 'superseded': {
      const why =
        result === 'superseded'
          ? 'A newer upload goes on with it.'
          : `It does not go on at ${offset}.`;
      throw new HttpError(409, why, await partHeaders(request, hash));
    }
  }
}

async function partHeaders({ view }: RestRequest, hash: string): Promise<Record<string, string>> {
  const { isGrowing, sizeBytes } = await view.blobs.part(hash);
  return {
    [UPLOAD_OFFSET_HEADER]: String(sizeBytes),
    [UPLOAD_ACTIVE_HEADER]: isGrowing ? '1' : '0',
  };
}

/** Where the body begins. It must go on to the end. @throws HttpError 400. */
function contentOffset({ header }: RestRequest): number {
  const range = header('content-range');
  if (range === undefined) return 0;
  const [, first, last, total] = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15})$/.exec(range) ?? [];
  if (first !== undefined && Number(first) <= Number(last) && Number(last) + 1 === Number(total))
    return Number(first);
  throw new HttpError(400, `Content-Range must go to the end, as 'bytes 5-9/10' does: ${range}`);
}

/** What a TaskManager asks for to find the leader, and to know when nobody will lead any more. */
async function readDocument({ params, view }: RestRequest): Promise<RestAnswer> {
  const name = shownDocuments.find((each) => each === params['name']);
  if (name === undefined) throw new HttpError(404, `There is no document ${params['name']}`);
  // The endpoint is all ours, and must be reached.
  return { ...ok(await view.document(name)), verbatim: name === DocumentName.endpoint };
}

const blobs = '/fctl/v1/blobs/:hash';

export const fctlRoutes: readonly Route[] = [
  { ...get(READY_PATH, ready), open: true, early: true },
  get('/fctl/v1/cluster', ({ view }) => ok(view.info())),
  { method: 'POST', pattern: '/fctl/v1/jobs', handle: submitJob },
  get('/fctl/v1/jobs/:jobid/result', jobResult),
  get('/fctl/v1/jobs/:jobid/attempts', jobAttempts),
  { method: 'POST', pattern: '/fctl/v1/cancel', handle: cancelApplication },
  { method: 'DELETE', pattern: '/cluster', handle: shutDown },
  { ...get('/fctl/v1/record/:name', readDocument), early: true },
  { ...get(blobs, readBlob), early: true },
  { method: 'HEAD', pattern: blobs, early: true, handle: readBlob },
  { method: 'PUT', pattern: blobs, early: true, handle: writeBlob },
];
