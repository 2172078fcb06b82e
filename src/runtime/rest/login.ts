/**
 * What a browser sees that has no token yet: a page to log in at, and one where it may log out.
 * Without scripts and without anything from elsewhere.
 *
 *     GET /login → POST /login (token) → cookie, back to where one came from → POST /logout
 */
import type { Authentication } from './authentication.ts';
import { HttpError } from './http-error.ts';
import type { RestAnswer, RestRequest, Route } from './router.ts';

const HTML_TYPE = 'text/html; charset=UTF-8';

const pageHeaders: Readonly<Record<string, string>> = {
  'cache-control': 'no-store',
  'content-security-policy':
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  'referrer-policy': 'same-origin', // without any, a form would be of the origin null
};

export interface LoginPage {
  readonly status: number;
  /** Where to go then: path and query. */
  readonly next: string;
  /** What was wrong with the last try. */
  readonly problem: string | null;
  readonly headers?: Readonly<Record<string, string>>;
}

export function loginPage({ status, next, problem, headers = {} }: LoginPage): RestAnswer {
  return page(
    status,
    `<h1>Log in</h1>
${problem === null ? '' : `<p role="alert">${escapeHtml(problem)}</p>\n`}<form method="post" action="/login">
<label>Token of the cluster <input name="token" type="password" autocomplete="current-password" required autofocus></label>
<input type="hidden" name="next" value="${escapeHtml(localPath(next))}">
<button>Log in</button>
</form>
<p><code>fctl proxy CLUSTER</code> serves this cluster on your machine without a login.</p>`,
    headers,
  );
}

/** Whether an answer is for the eyes of somebody. */
export function wantsPage(method: string, accept: string | undefined): boolean {
  return (method === 'GET' || method === 'HEAD') && /\btext\/html\b/i.test(accept ?? '');
}

/** @param authentication `null`: nobody needs to log in. */
export function loginRoutes(authentication: Authentication | null): readonly Route[] {
  const home: Route = {
    method: 'GET',
    pattern: '/',
    early: true,
    handle: ({ header, view }) => {
      if (!wantsPage('GET', header('accept'))) throw new HttpError(404, 'Not found: /');
      const session = authentication?.sessions.has(header('cookie')) ?? false;
      return homePage(view.info().clusterId, session);
    },
  };
  if (authentication === null) return [home];
  return [
    home,
    {
      method: 'GET',
      pattern: '/login',
      open: true,
      early: true,
      handle: () => loginPage({ status: 200, next: '/', problem: null }),
    },
    {
      method: 'POST',
      pattern: '/login',
      open: true,
      early: true,
      handle: (request) => logIn(request, authentication),
    },
    {
      method: 'POST',
      pattern: '/logout',
      open: true,
      early: true,
      handle: ({ header }) => goTo('/login', authentication.sessions.close(header('cookie'))),
    },
  ];
}

async function logIn(
  { client, form }: RestRequest,
  authentication: Authentication,
): Promise<RestAnswer> {
  const given = await form();
  const next = given.get('next') ?? '/';
  try {
    authentication.checkToken((given.get('token') ?? '').trim(), client);
  } catch (error) {
    if (!(error instanceof HttpError)) throw error;
    const { headers, message, status } = error;
    return loginPage({ status, next, problem: message, headers });
  }
  return goTo(localPath(next), authentication.sessions.open());
}

function homePage(clusterId: string, hasSession: boolean): RestAnswer {
  const links = ['overview', 'jobs/overview', 'taskmanagers', 'jobmanager/config'];
  const logout = '<form method="post" action="/logout"><button>Log out</button></form>';
  return page(
    200,
    `<h1>Cluster ${escapeHtml(clusterId)}</h1>
<ul>${links.map((link) => `<li><a href="/${link}">/${link}</a></li>`).join('')}</ul>
${hasSession ? logout : ''}`,
  );
}

function goTo(path: string, cookie: string): RestAnswer {
  const headers = { ...pageHeaders, location: path, 'set-cookie': cookie };
  return { status: 303, contentType: HTML_TYPE, text: '', headers };
}

/** A path of this server; anything else, such as `//elsewhere` or `/\elsewhere`, is the first page. */
function localPath(path: string): string {
  return /^\/(?![/\\])[\x21-\x7e]*$/.test(path) ? path : '/';
}

function page(
  status: number,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): RestAnswer {
  const text = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>fctl</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; margin: 10vh auto; max-width: 30em; padding: 0 1em; color-scheme: light dark }
input, button { font: inherit; padding: .3em .6em } input { display: block; width: 100%; box-sizing: border-box; margin-bottom: 1em }
[role=alert] { color: #c00 }
</style>
</head>
<body>
${body}
</body>
</html>
`;
  const all = { ...pageHeaders, ...headers };
  return { status, contentType: HTML_TYPE, text, verbatim: true, headers: all };
}

function escapeHtml(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  };
  return text.replaceAll(/[&<>"']/g, (character) => entities[character]!);
}
