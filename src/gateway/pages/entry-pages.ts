// The pages of a browser's way in and out: before entering (who, into whose account, why), before leaving, after it.
// Everything that comes from outside is escaped by `html`. Cold.
import type { SupportSession } from '#model/session.ts';
import { html, type Markup, NOTHING, page } from './page-frame.ts';

/** What a form of ours sends, and where to. */
export interface EntryForm {
  readonly action: string;
  readonly launch: string;
  /** Where to go then; a path of the tenant's own. */
  readonly to: string;
}

/** Names the principal, so that whoever was sent somebody else's link sees it (login CSRF); nothing happens before the button. */
export function enterPage(session: SupportSession, form: EntryForm): string {
  return page(
    `Enter the account of ${session.tenant}`,
    html`<p>You are about to work in a customer's account. Everything you do there is recorded, and the customer can read it.</p>
${sessionList(session)}
<form method="post" action="${form.action}">
<input type="hidden" name="launch" value="${form.launch}">
<input type="hidden" name="to" value="${form.to}">
<button type="submit">Enter as ${nameOf(session)}</button>
</form>
<p><small>Are you not ${nameOf(session)}? Then close this page: somebody sent you their link.</small></p>`,
  );
}

/** With a note on the steps taken, which the customer gets. */
export function leavePage(session: SupportSession, action: string): string {
  return page(
    `Leave the account of ${session.tenant}`,
    html`${sessionList(session)}
<form method="post" action="${action}">
<label for="note">What did you do? The customer gets this with the report of the session.</label>
<textarea id="note" name="note" rows="5" maxlength="${MAX_NOTE_LENGTH}"></textarea>
<button type="submit">Leave</button>
</form>`,
  );
}

export const MAX_NOTE_LENGTH = 2000;

export function leftPage(wasOpen: boolean): string {
  return page(
    'You have left',
    html`<p>${wasOpen ? 'The support session has ended.' : 'There was no support session to leave.'} You may close this page.</p>`,
  );
}

function sessionList(session: SupportSession): Markup {
  const { tenant, access, caseRef, reason, endsAt, principal } = session;
  return html`<dl>
<dt>Who</dt><dd>${nameOf(session)}${principal.email === null ? NOTHING : html` (${principal.email})`}</dd>
<dt>Customer</dt><dd>${tenant}</dd>
<dt>Access</dt><dd>${access === 'write' ? 'read and write' : 'read only'}, until ${new Date(endsAt).toISOString()} at the latest</dd>
${caseRef === null ? NOTHING : html`<dt>Case</dt><dd>${caseRef}</dd>\n`}<dt>Reason</dt><dd>${reason.detail}</dd>
</dl>`;
}

function nameOf({ principal }: SupportSession): string {
  return principal.name ?? principal.email ?? principal.id;
}
