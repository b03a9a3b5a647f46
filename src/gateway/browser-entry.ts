// A browser's way in and out, below the reserved prefix: the launch link that becomes a session cookie, and its end.
// Guarantees: a link is spent by a form that its own page sent (never by a GET, which scanners and prefetchers follow), on
// its tenant's door alone; a cookie that was there is replaced and its session never taken over (fixation); the page names
// who is entering (login CSRF); where it goes then is a path of that tenant (open redirect). Not hot.
import type { Actor } from '#model/grant.ts';
import type { Principal } from '#model/principal.ts';
import { isSealedSecret, secretHash } from '#model/secret-hash.ts';
import { sessionStatusAt, type SupportSession } from '#model/session.ts';
import type { Clock } from '#model/clock.ts';
import { deny, PASS, type Verdict } from '#model/verdict.ts';
import type { SessionAuthority } from '#sessions/session-authority.ts';
import type { SessionLookup } from '#sessions/session-lookup.ts';
import type { Exchange } from './exchange.ts';
import { readBody } from './held-body.ts';
import { COOKIE_AMBIGUOUS, COOKIE_CLEARING, cookieSetting, ownCookieOf } from './own-cookie.ts';
import { enterPage, leavePage, leftPage, MAX_NOTE_LENGTH } from './pages/entry-pages.ts';
import { PAGE_TYPE, pageHeaders } from './pages/page-frame.ts';
import { parseTarget } from './request-target.ts';
import { ENTER_PATH, isReserved, LEAVE_PATH } from './reserved-paths.ts';
import { isSameOrigin } from './same-origin.ts';
import { credentialOf } from './session-credential.ts';
import type { Stage } from './stage.ts';

/** What of the sessions room the way in and out needs. */
export type SessionDesk = Pick<SessionAuthority, 'launchOf' | 'takeLaunch' | 'end'>;

export interface BrowserEntryDeps {
  readonly sessionDesk: SessionDesk | null;
  readonly sessions: SessionLookup | null;
  readonly clock: Clock;
  /** Draining, stopped, no journal, no clock: then nobody enters either. */
  readonly gateState: Stage;
}

/** The answer is in `x.localAnswer` where the verdict is a `not_found`; any other denial is the answer. */
export interface BrowserEntry {
  enter(x: Exchange): Verdict | Promise<Verdict>;
  leave(x: Exchange): Verdict | Promise<Verdict>;
}

/** Null where there are no sessions. */
export function createBrowserEntry(deps: BrowserEntryDeps): BrowserEntry | null {
  const { sessionDesk: desk, sessions, clock, gateState } = deps;
  if (desk === null || sessions === null) return null;

  function guarded(
    x: Exchange,
    show: (x: Exchange) => Promise<Verdict>,
    act: (x: Exchange) => Promise<Verdict>,
  ): Verdict | Promise<Verdict> {
    const state = gateState.run(x);
    if (state !== PASS) return state;
    if (x.socket !== null) return deny('upgrade_refused');
    if (x.tenant === null) return deny('tenant_unresolved');
    if (x.method === 'GET' || x.method === 'HEAD') return show(x);
    if (x.method !== 'POST') return deny('method_not_allowed');
    return isSameOrigin(x) ? act(x) : deny('origin_refused', 'a form that is not of our own page');
  }

  return {
    enter: (x) =>
      guarded(
        x,
        (shown) => showEntrance(shown, desk),
        (acting) => enter(acting, desk),
      ),
    leave: (x) =>
      guarded(
        x,
        (shown) => showExit(shown, { sessions, clock }),
        (acting) => leave(acting, desk, { sessions, clock }),
      ),
  };
}

async function showEntrance(x: Exchange, desk: SessionDesk): Promise<Verdict> {
  const asked = entryOf(x.target === null ? '' : x.target.query);
  if (asked === null || x.tenant === null) return deny('bad_request_target', 'not a launch link');
  const session = await desk.launchOf(asked.launch, x.tenant);
  if (x.phase !== 'judging') return deny('client_closed');
  if (session === null || session.tenant !== x.tenant) return spent(x);
  x.credential = credentialOf(session);
  return answer(x, enterPage(session, { ...asked, action: baseOf(x) + ENTER_PATH }));
}

async function enter(x: Exchange, desk: SessionDesk): Promise<Verdict> {
  const form = await formOf(x);
  if (typeof form !== 'string') return form;
  const asked = entryOf(form);
  if (asked === null || x.tenant === null) return deny('bad_request_target', 'not the form of a launch link');
  const entered = await desk.takeLaunch(asked.launch, x.tenant);
  if (x.phase !== 'judging') return deny('client_closed');
  if (entered === null || entered.session.tenant !== x.tenant) return spent(x);
  x.credential = credentialOf(entered.session);
  x.session = entered.session;
  return redirect(x, baseOf(x) + asked.to, cookieSetting(entered.cookie));
}

type Sessions = { readonly sessions: SessionLookup; readonly clock: Clock };

async function showExit(x: Exchange, known: Sessions): Promise<Verdict> {
  const session = await openSessionOf(x, known);
  if (x.phase !== 'judging') return deny('client_closed');
  if (session === null) return answer(x, leftPage(false), COOKIE_CLEARING);
  x.credential = credentialOf(session);
  return answer(x, leavePage(session, baseOf(x) + LEAVE_PATH));
}

async function leave(x: Exchange, desk: SessionDesk, known: Sessions): Promise<Verdict> {
  const form = await formOf(x);
  if (typeof form !== 'string') return form;
  const session = await openSessionOf(x, known);
  if (x.phase !== 'judging') return deny('client_closed');
  if (session === null) return answer(x, leftPage(false), COOKIE_CLEARING);
  x.credential = credentialOf(session);
  // `x.session` is set when it has ended: what ends it cuts whatever is bound to it.
  const ended = await desk.end(session.id, {
    ending: 'left',
    by: actorOf(session.principal),
    note: noteOf(form),
  });
  if (x.phase !== 'judging') return deny('client_closed');
  x.session = ended;
  return answer(x, leftPage(true), COOKIE_CLEARING);
}

/** By the cookie, on its own tenant's door; null for none, an unknown one and one that is over. */
async function openSessionOf(x: Exchange, { sessions, clock }: Sessions): Promise<SupportSession | null> {
  const cookie = ownCookieOf(x.head.cookie);
  if (cookie === null || cookie === COOKIE_AMBIGUOUS) return null;
  const hash = secretHash(cookie);
  if (!(await sessions.isOwnCookie(cookie, hash))) return null;
  const session = await sessions.ofCookie(hash);
  if (session === null || session.tenant !== x.tenant) return null;
  return sessionStatusAt(session, sessions.lastUsedOf(session), clock.now()) === 'active' ? session : null;
}

/** Never which of these it was: a link is nobody's to try out. */
function spent(x: Exchange): Verdict {
  x.refusalDetail =
    'This link was used before, is older than 60 seconds, or is not of this address. Open the session again for a new one.';
  return deny('credential_invalid', 'a launch link that does not hold');
}

interface Asked {
  readonly launch: string;
  readonly to: string;
}

/** Of a query or a form: each name at most once, nothing of another form. Null: not a link of ours. */
function entryOf(pairs: string): Asked | null {
  const params = new URLSearchParams(pairs);
  const launches = params.getAll('launch');
  const targets = params.getAll('to');
  const [launch = ''] = launches;
  const [wanted = '/'] = targets;
  if (launches.length !== 1 || targets.length > 1 || !isSealedSecret(launch)) return null;
  const to = ownPath(wanted);
  return to === null ? null : { launch, to };
}

const MAX_PATH_LENGTH = 1024;

/**
 * A path on this very host, as the gate itself would forward it: one leading slash, no backslash, no control character,
 * in canonical form, and none of ours (`//evil.test`, `/\evil.test`, `https:evil.test` and their encodings are not).
 */
export function ownPath(text: string): string | null {
  if (text.length > MAX_PATH_LENGTH) return null;
  const target = parseTarget(text);
  if ('reason' in target || isReserved(target.path)) return null;
  return target.hasQuery ? `${target.path}?${target.query}` : target.path;
}

/** What stands before the path that rules see: the tenant's prefix where tenancy is by path; usually empty. */
export function baseOf({ target, routePath }: Pick<Exchange, 'target' | 'routePath'>): string {
  if (target === null || !target.path.endsWith(routePath)) return '';
  return target.path.slice(0, target.path.length - routePath.length);
}

/** A hidden secret or two, a path, and a note whose every character may be escaped threefold. */
const MAX_FORM_BYTES = 4096 + MAX_NOTE_LENGTH * 9;
const FORM_TYPE = 'application/x-www-form-urlencoded';

async function formOf(x: Exchange): Promise<string | Exclude<Verdict, typeof PASS>> {
  const [type = ''] = x.contentType.split(';');
  if (type.trim().toLowerCase() !== FORM_TYPE) return deny('body_uninspectable', 'not a form');
  if (x.head.contentLength > MAX_FORM_BYTES) return deny('body_too_large');
  const bytes = x.head.contentLength === 0 ? Buffer.alloc(0) : await readBody(x, MAX_FORM_BYTES);
  return 'reason' in bytes ? bytes : bytes.toString('utf8');
}

function noteOf(form: string): string | null {
  const note = (new URLSearchParams(form).get('note') ?? '').trim().slice(0, MAX_NOTE_LENGTH);
  return note === '' ? null : note.toWellFormed();
}

function actorOf({ id, issuer, email, name }: Principal): Actor {
  return { kind: 'staff', id, issuer, email, name, onBehalfOf: null };
}

function answer(x: Exchange, body: string, cookie: string | null = null): Verdict {
  const headers = [...pageHeaders(true), ...(cookie === null ? [] : ['Set-Cookie', cookie])];
  x.localAnswer = { status: 200, contentType: PAGE_TYPE, body, cacheControl: 'no-store', headers };
  return deny('not_found');
}

/** 303: whatever the form was, the browser asks for the page by GET (RFC 9110 section 15.4.4). */
function redirect(x: Exchange, location: string, cookie: string): Verdict {
  const headers = [...pageHeaders(false), 'Location', location, 'Set-Cookie', cookie];
  x.localAnswer = { status: 303, contentType: PAGE_TYPE, body: '', cacheControl: 'no-store', headers };
  return deny('not_found');
}
