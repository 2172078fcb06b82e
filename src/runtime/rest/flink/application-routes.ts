/** Applications: of application mode the one of the cluster, else those that were uploaded, and jobs. */
import {
  applicationDetails,
  applicationExceptions,
  applicationsOf,
  applicationSummary,
  type ApplicationView,
} from '../answers/applications.ts';
import { jobManagerConfig } from '../answers/cluster.ts';
import { accepted, checkEpoch, hexId } from '../checks.ts';
import { HttpError } from '../http-error.ts';
import { get, ok, type RestAnswer, type RestRequest, type Route } from '../router.ts';

/** Flink answers 500 to an unknown one. @throws HttpError 400, 404. */
function requireApplication(request: RestRequest): ApplicationView {
  const id = hexId(request, 'applicationid');
  const found = applicationsOf(request.view).find((application) => application.id === id);
  if (found === undefined) throw new HttpError(404, `Could not find Flink application (${id})`);
  return found;
}

function cancel(request: RestRequest): RestAnswer {
  checkEpoch(request);
  const { id, status } = requireApplication(request);
  const { view } = request;
  if (status === 'FINISHED' || status === 'FAILED') {
    throw new HttpError(409, `Application ${id} has already reached ${status}`);
  }
  if (view.jars?.applications().some((application) => application.id === id))
    return accepted(view.jars.cancel(id));
  const isJob = view.job(id) !== null;
  return accepted(isJob ? view.cancelJob(id) : view.cancelApplication());
}

const path = '/applications/:applicationid';

export const applicationRoutes: readonly Route[] = [
  get('/applications/overview', ({ view }) => {
    const now = view.now();
    return ok({ applications: applicationsOf(view).map((each) => applicationSummary(each, now)) });
  }),
  get(path, (request) => ok(applicationDetails(requireApplication(request), request.view.now()))),
  get(`${path}/exceptions`, (request) => ok(applicationExceptions(requireApplication(request)))),
  get(`${path}/jobmanager/config`, (request) => {
    requireApplication(request);
    return ok(jobManagerConfig(request.view));
  }),
  { method: 'POST', pattern: `${path}/cancel`, handle: cancel },
];
