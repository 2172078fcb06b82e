/** Applications that are uploaded and run: what Flink calls jars is bundles here. In sessions only. */
import { JarError, type Jar } from '../../jobmanager/dispatcher/jars.ts';
import type { JarRun, Jars, Refused } from '../../jobmanager/views/cluster-view.ts';
import { jarList, jarPlan } from '../answers/jars.ts';
import { accepted, checkEpoch, jsonBody } from '../checks.ts';
import { badParameter, HttpError } from '../http-error.ts';
import { parseArguments, splitArguments } from '../program-arguments.ts';
import { get, ok, type RestAnswer, type RestRequest, type Route } from '../router.ts';

/** @throws HttpError 404: Flink's own clusters of one application have no such paths either. */
function requireJars({ view }: RestRequest): Jars {
  if (view.jars !== null) return view.jars;
  throw new HttpError(
    404,
    "This cluster is for one application and takes no others: 'fctl session start' starts one that does.",
  );
}

/** Flink answers 500 to an unknown one. @throws HttpError 404. */
async function requireJar(
  request: RestRequest,
): Promise<{ readonly jars: Jars; readonly jar: Jar }> {
  const jars = requireJars(request);
  const id = request.params['jarid']!;
  const jar = await jars.find(id);
  if (jar === null) throw new HttpError(404, `Jar file ${id} does not exist`);
  return { jars, jar };
}

async function list(request: RestRequest): Promise<RestAnswer> {
  const address = `http://${request.header('host') ?? 'localhost'}`;
  return ok(jarList(address, await requireJars(request).list()));
}

async function upload(request: RestRequest): Promise<RestAnswer> {
  checkEpoch(request);
  const jars = requireJars(request);
  const files = await request.files();
  const [file] = files;
  if (file === undefined || files.length > 1)
    throw new HttpError(400, `Exactly 1 file must be sent, received ${files.length}.`);
  try {
    const { id } = await jars.add(file.name, file.content);
    // A path in Flink; its clients take what is behind the last slash.
    return ok({ filename: `/jars/${id}`, status: 'success' });
  } catch (error) {
    if (error instanceof JarError) throw new HttpError(400, `${file.name}: ${error.message}`);
    throw error;
  }
}

async function remove(request: RestRequest): Promise<RestAnswer> {
  checkEpoch(request);
  const id = request.params['jarid']!;
  if (await requireJars(request).remove(id)) return ok({});
  throw new HttpError(400, `File ${id} does not exist.`);
}

async function plan(request: RestRequest): Promise<RestAnswer> {
  const { jar, jars } = await requireJar(request);
  const planned = await jars.plan(jar, await readRun(request, 'JarPlanRequestBody'));
  return planned.type === 'planned' ? ok(jarPlan(planned.graph)) : refuse(planned);
}

async function run(request: RestRequest): Promise<RestAnswer> {
  checkEpoch(request);
  const { jar, jars } = await requireJar(request);
  const result = await jars.run(jar, await readRun(request, 'JarRunRequestBody'));
  if (result.type === 'refused') return refuse(result);
  const { applicationId, jobId } = result;
  return ok({ jobid: jobId, applicationId });
}

async function runApplication(request: RestRequest): Promise<RestAnswer> {
  checkEpoch(request);
  const { jar, jars } = await requireJar(request);
  const result = await jars.start(jar, await readRun(request, 'JarRunApplicationRequestBody'));
  if (result.type === 'refused') return refuse(result);
  return { status: 202, body: { applicationid: result.applicationId } };
}

const refuse = (refused: Refused) => accepted(refused);

/**
 * What is to be run: the body says it or, where it is silent, the query.
 * @throws HttpError 400.
 */
async function readRun(request: RestRequest, format: string): Promise<JarRun> {
  const mismatch = () => new HttpError(400, `Request did not match expected format ${format}.`);
  const { query } = request;
  const body = await jsonBody(request, format, {
    entryClass: 'string',
    programArgs: 'string',
    jobId: 'string',
    savepointPath: 'string',
    allowNonRestoredState: 'boolean',
  });
  refuseState(body, query);
  const words = body['programArgsList'] ?? null;
  if (words !== null && !isTexts(words)) throw mismatch();
  const line = (body['programArgs'] as string | null | undefined) ?? query.get('program-args');
  const inQuery = query.get('programArg')?.split(',');
  const jobId = (body['jobId'] as string | null | undefined) ?? null;
  if (jobId !== null && !/^[0-9a-f]{32}$/i.test(jobId)) throw mismatch();
  return {
    entry: textOf(body['entryClass']) ?? textOf(query.get('entry-class')),
    args: parseArguments(words ?? (line === null ? (inQuery ?? []) : splitArguments(line))),
    parallelism: parallelismOf(body['parallelism'] ?? query.get('parallelism')),
    jobId: jobId?.toLowerCase() ?? null,
  };
}

const isTexts = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((each) => typeof each === 'string');

/** Forms send what is left empty, too. */
const textOf = (value: unknown): string | null =>
  typeof value === 'string' && value.trim() !== '' ? value : null;

/** Flink's largest. */
const maxParallelism = 32_768;

/** As a number or a text; -1 is the default, as in Flink. @throws HttpError 400. */
function parallelismOf(value: unknown): number | null {
  if (value === null || value === undefined) return null;
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  if (text === '' || text === '-1') return null;
  const number = Number(text);
  if (/^\d{1,9}$/.test(text) && number >= 1 && number <= maxParallelism) return number;
  throw badParameter('query', 'parallelism', text);
}

/** What would silently be left out is refused. @throws HttpError 400. */
function refuseState(body: Readonly<Record<string, unknown>>, query: URLSearchParams): void {
  if (textOf(body['savepointPath']) !== null || textOf(query.get('savepointPath')) !== null)
    throw new HttpError(400, 'This JobManager has no savepoints: leave the savepoint path empty.');
  if (Object.keys(Object(body['flinkConfiguration'])).length > 0)
    throw new HttpError(
      400,
      'A job has no Flink configuration here: leave flinkConfiguration empty.',
    );
}

const jar = '/jars/:jarid';

export const jarRoutes: readonly Route[] = [
  get('/jars', list),
  { method: 'POST', pattern: '/jars/upload', handle: upload },
  { method: 'DELETE', pattern: jar, handle: remove },
  get(`${jar}/plan`, plan),
  { method: 'POST', pattern: `${jar}/plan`, handle: plan },
  { method: 'POST', pattern: `${jar}/run`, handle: run },
  { method: 'POST', pattern: `${jar}/run-application`, handle: runApplication },
];
