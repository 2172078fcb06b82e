/** What `docs/rest.md` claims about Flink's endpoints, against the router. */
import { describe, expect, it } from 'vitest';
import { fctlRoutes } from '../../../src/runtime/rest/fctl-routes.ts';
import { flinkRoutes } from '../../../src/runtime/rest/flink-routes.ts';
import { createRouter } from '../../../src/runtime/rest/router.ts';
import { endpointClaims } from '../../../tools/rest-reference.ts';
import { flinkEndpoints } from '../../reference/flink-rest/recordings.ts';

/** Answered by Flink, but not in the list of what its classes declare. */
const undeclared = [
  'GET /jobmanager/log',
  'GET /jobmanager/stdout',
  'GET /jobs/:jobid/yarn-cancel',
  'GET /jobs/:jobid/yarn-stop',
];
const all = [...flinkEndpoints, ...undeclared];
const routes = [...flinkRoutes, ...fctlRoutes];
const match = createRouter(routes);
const nameOf = ({ method, pattern }: { readonly method: string; readonly pattern: string }) =>
  `${method} ${pattern}`;

/** The route that a request of this endpoint gets to. */
function routeOf(endpoint: string): string | null {
  const [method, pattern] = endpoint.split(' ') as [string, string];
  const found = match(method, pattern.replaceAll(/:\w+/g, 'x'));
  return found && nameOf(found.route);
}

describe('the claims about endpoints', () => {
  it('are about every endpoint of Flink, and about each once', () => {
    expect(endpointClaims.map(({ endpoint }) => endpoint).toSorted()).toEqual(all.toSorted());
  });

  it.each(endpointClaims.map((claim) => [claim.endpoint, claim] as const))(
    'are those of the router: %s',
    (endpoint, { state }) => {
      expect(routeOf(endpoint)).toBe(state === 'absent' ? null : endpoint);
    },
  );

  it('say how what is different differs, and why what is absent is', () => {
    const mute = endpointClaims.filter(({ note, state }) => state !== 'supported' && note === '');
    expect(mute).toEqual([]);
  });

  it('leave out nothing that is answered', () => {
    const flinks = routes.map(nameOf).filter((name) => !/ \/(?:fctl|login|logout)\b/.test(name));
    expect(flinks.filter((name) => !all.includes(name))).toEqual([]);
  });
});
