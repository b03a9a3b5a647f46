// Settings › Security › Support access. Reads the account's grants through the help desk's own routes, shows them,
// and changes them. Nothing is believed to have changed until the gate has said so: after each change the list is
// read again.
import { byId, confirmed, element } from './elements.js';
import { GENERAL_CASE, howItEnded, impactText, untilWhen, whatTheyMayDo, whoMayEnter } from './wording.js';

const API = '/settings/security/support-access/api';
const REFRESH_MS = 30_000;
const OTHERS_STAY = 'The other access that you have given stays open.';

let live = [];

async function request(method, path, body) {
  const response = await fetch(path, {
    method,
    ...(body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  });
  const answer = await response.json().catch(() => ({}));
  if (response.ok) return answer;
  throw new Error(answer.detail ?? answer.error ?? answer.title ?? `The server answered ${response.status}.`);
}

function tell(text, isError = false) {
  const notice = byId('notice');
  notice.textContent = text;
  notice.classList.toggle('error', isError);
  notice.hidden = text === '';
}

/** Runs a change with its button disabled, then reads everything again and says how it went. */
async function change(button, work, done) {
  button.disabled = true;
  try {
    await work();
    await refresh();
    tell(done);
  } catch (error) {
    tell(error.message, true);
  } finally {
    button.disabled = false;
  }
}

async function refresh() {
  const { grants } = await request('GET', `${API}/grants`);
  live = grants.filter(({ status }) => status === 'active' || status === 'scheduled');
  const past = grants.filter((grant) => !live.includes(grant));
  showState();
  byId('grants').replaceChildren(...live.map(liveItem));
  byId('no-grants').hidden = live.length > 0;
  byId('past').hidden = past.length === 0;
  byId('past-count').textContent = String(past.length);
  byId('past-grants').replaceChildren(...past.map(pastItem));
}

function showState() {
  const isOpen = live.length > 0;
  const state = byId('state');
  state.textContent = isOpen ? 'On' : 'Off';
  state.classList.toggle('on', isOpen);
  byId('open-form').hidden = isOpen;
  byId('close-all').hidden = !isOpen;
  byId('state-text').textContent = stateText();
}

function stateText() {
  const [first] = live;
  if (first === undefined) return 'Nobody of our staff can enter your account.';
  if (live.length > 1) return `Access is open in ${live.length} ways, listed below.`;
  return `${whoMayEnter(first)} ${whatTheyMayDo(first)} ${untilWhen(first)}.`;
}

function liveItem(grant) {
  const revoke = element('button', { type: 'button', onclick: () => askToRevoke(grant, revoke) }, 'Revoke');
  revoke.setAttribute('aria-label', `Revoke access of ${whoMayEnter(grant)}, ${grant.caseRef ?? 'no case'}`);
  return element('li', {}, description(grant, untilWhen(grant)), revoke);
}

function pastItem(grant) {
  return element('li', {}, description(grant, howItEnded(grant)));
}

function description(grant, time) {
  const given = `Given by ${grant.grantedBy.name ?? grant.grantedBy.id}`;
  const reason = grant.reason?.detail;
  return element(
    'div',
    {},
    element('p', {}, element('b', {}, whoMayEnter(grant)), ` ${whatTheyMayDo(grant)}`),
    element('p', {}, grant.caseRef && `${grant.caseRef} · `, time),
    element('p', { className: 'small' }, given, reason && ` · “${reason}”`),
  );
}

async function askToRevoke(grant, button) {
  const impact = await request('GET', `${API}/grants/${grant.id}/impact`).catch(() => null);
  const yes = await confirmed({
    title: 'Revoke this access?',
    body: [
      element('p', {}, element('b', {}, whoMayEnter(grant)), ` ${whatTheyMayDo(grant)} ${untilWhen(grant)}.`),
      element('p', {}, impactText(impact)),
      element('p', {}, live.length > 1 ? OTHERS_STAY : 'They cannot enter again until you give new access.'),
    ],
    action: 'Revoke now',
  });
  if (!yes) return;
  await change(
    button,
    () => request('POST', `${API}/grants/${grant.id}/revoke`, {}),
    'Access is revoked. Nothing of it is forwarded any more.',
  );
}

async function askToClose(event) {
  const button = event.currentTarget;
  const yes = await confirmed({
    title: 'Turn off support access?',
    body: [
      element('p', {}, live.length === 1 ? 'This access ends at once:' : `These ${live.length} end at once:`),
      element(
        'ul',
        {},
        ...live.map((grant) => element('li', {}, `${whoMayEnter(grant)}, ${untilWhen(grant)}`)),
      ),
      element('p', {}, impactText(null)),
    ],
    action: 'Turn off',
  });
  if (!yes) return;
  await change(button, () => request('POST', `${API}/close`, {}), 'Support access is off.');
}

/** The switch: everyone of the vendor's support, for a while. */
function openAccess(event) {
  event.preventDefault();
  const { duration, access } = Object.fromEntries(new FormData(event.target));
  const reason = { type: 'customer_initiated_support', detail: 'Support access was turned on.' };
  const body = { duration, access, caseRef: GENERAL_CASE, reason };
  change(event.submitter, () => request('POST', `${API}/grants`, body), 'Support access is on.');
}

/** One case, some of the staff. */
function giveAccess(event) {
  event.preventDefault();
  const form = event.target;
  const { audience, access, duration, caseRef, reason } = Object.fromEntries(new FormData(form));
  const body = {
    audience: { groups: [audience] },
    access,
    duration,
    caseRef,
    reason: { type: 'customer_initiated_support', detail: reason },
  };
  const work = async () => {
    await request('POST', `${API}/grants`, body);
    form.reset();
  };
  change(event.submitter, work, `Access is given for ${caseRef}.`);
}

async function start() {
  const { tenant, actingAs } = await request('GET', '/api/v1/me');
  byId('tenant-name').textContent = `${tenant.name} ·`;
  byId('user-name').textContent = actingAs.name;
  await refresh();
  byId('admin-only').hidden = false;
  byId('open-form').addEventListener('submit', openAccess);
  byId('grant-form').addEventListener('submit', giveAccess);
  byId('close-all').addEventListener('click', askToClose);
  setInterval(() => {
    if (!document.hidden && !byId('confirm').open) refresh().catch((error) => tell(error.message, true));
  }, REFRESH_MS);
}

start().catch((error) => tell(error.message, true));
