// What is said of grants: given, changed, revoked, verified, about to end, ended. Pure.
// The grantor's name stands in each that a person caused; the words differ for the customer and for support staff.
import { accessWords, endingWords, type Message, personOf, type Row, rowsOf, type Told } from './message.ts';

type GrantEvent =
  | 'grant.given'
  | 'grant.changed'
  | 'grant.revoked'
  | 'grant.ending'
  | 'grant.ended'
  | 'grant.verified';

const NOTHING_TO_DO_STAFF = 'You need not do anything. Should you still need access, ask for it anew.';

export const GRANT_MESSAGES: Readonly<Record<GrantEvent, (told: Told) => Message>> = {
  'grant.given': given,
  'grant.changed': changed,
  'grant.revoked': revoked,
  'grant.ending': ending,
  'grant.ended': ended,
  'grant.verified': verified,
};

function given(told: Told): Message {
  if (told.context.side === 'decider') return toVerify(told);
  const { account, by, isStaff } = told;
  const who = by ?? 'The settings of the account';
  const headline = isStaff
    ? `${who} has given you access to the account ${account}.`
    : `${who} has given support staff access to the account ${account}.`;
  return {
    subject: isStaff
      ? `You have access to ${account}`
      : `Support access to ${account} was given${byWords(told)}`,
    headline,
    paragraphs: [isStaff ? `It allows ${accessWords(told)}.` : meaning(told), ...pendingWords(told)],
    rows: rowsOf(told, [grantedBy(told)]),
    listings: [],
    whatToDo: isStaff
      ? 'Open a session and state your reason; everything you do is recorded.'
      : endingWords(told),
  };
}

/** For those who verify it: they have no access by it. */
function toVerify(told: Told): Message {
  const { account, by, notice } = told;
  const who = by ?? 'The settings of the account';
  const did = notice.event === 'grant.given' ? 'given' : 'changed';
  return {
    subject: `Access to ${account} awaits verification`,
    headline: `${who} has ${did} support access to the account ${account}. Below is what it would be.`,
    paragraphs: pendingWords(told),
    rows: rowsOf(told, [grantedBy(told)]),
    listings: [],
    whatToDo:
      'A lead of the vendor whom the grant does not name verifies the case, and then never uses the access.',
  };
}

function changed(told: Told): Message {
  if (told.context.side === 'decider') return toVerify(told);
  const { account, by, isStaff } = told;
  const who = by ?? 'The settings of the account';
  return {
    subject: isStaff
      ? `Your access to ${account} was changed`
      : `Support access to ${account} was changed${byWords(told)}`,
    headline: `${who} has changed ${isStaff ? 'your' : 'the support'} access to the account ${account}. Below is what holds now.`,
    paragraphs: [isStaff ? `It allows ${accessWords(told)}.` : meaning(told), ...pendingWords(told)],
    rows: rowsOf(told, [grantedBy(told)]),
    listings: [],
    whatToDo: isStaff ? 'Work that the change no longer allows was stopped.' : endingWords(told),
  };
}

function revoked(told: Told): Message {
  const { account, by, isStaff } = told;
  const who = by ?? 'The settings of the account';
  return {
    subject: isStaff
      ? `Your access to ${account} was revoked`
      : `Support access to ${account} was revoked${byWords(told)}`,
    headline: `${who} has revoked ${isStaff ? 'your' : 'the support'} access to the account ${account}.`,
    paragraphs: ['It ended at once: sessions under it are over and requests in progress were cut.'],
    rows: rowsOf(told, [grantedBy(told), ['Revoked by', by ?? '']]),
    listings: [],
    whatToDo: isStaff
      ? NOTHING_TO_DO_STAFF
      : 'You need not do anything. Support staff cannot come in again unless an admin gives access anew.',
  };
}

function ending(told: Told): Message {
  const { account, isStaff } = told;
  const end = told.instant('expiresAt') ?? 'soon';
  return {
    subject: `${isStaff ? 'Your access' : 'Support access'} to ${account} is about to end`,
    headline: `${isStaff ? 'Your' : 'The support'} access to the account ${account} ends by itself: ${end}.`,
    paragraphs: ['What is in progress at that moment is cut.'],
    rows: rowsOf(told, [grantedBy(told)]),
    listings: [],
    whatToDo: isStaff
      ? 'Should you need longer, ask the customer: only an admin of the account can extend it.'
      : `If support should stay longer, extend it; otherwise do nothing. ${endingWords(told)}`,
  };
}

function ended(told: Told): Message {
  const { account, isStaff } = told;
  return {
    subject: `${isStaff ? 'Your access' : 'Support access'} to ${account} has ended`,
    headline: `${isStaff ? 'Your' : 'The support'} access to the account ${account} has run out.`,
    paragraphs: ['It ended by itself, at the time that was set when it was given.'],
    rows: rowsOf(told, [grantedBy(told)]),
    listings: [],
    whatToDo: isStaff
      ? NOTHING_TO_DO_STAFF
      : 'You need not do anything. Support staff cannot come in again unless an admin gives access anew.',
  };
}

function verified(told: Told): Message {
  const { account, by, isStaff } = told;
  const who = by ?? 'A lead of the vendor';
  return {
    subject: `${isStaff ? 'Your access' : 'Support access'} to ${account} was verified`,
    headline: `${who} has verified the case of ${isStaff ? 'your' : 'the support'} access to the account ${account}.`,
    paragraphs: ['Until then it could not be used; from now on it can.'],
    rows: rowsOf(told, [grantedBy(told), ['Verified by', by ?? '']]),
    listings: [],
    whatToDo: isStaff
      ? 'Open a session and state your reason; everything you do is recorded.'
      : endingWords(told),
  };
}

function meaning(told: Told): string {
  const allows = accessWords(told);
  const what = allows === '' ? '' : ` It allows ${allows}.`;
  return `Those it names can enter the account for as long as it lasts, and can see its data.${what} Everything they do is recorded, and you can read it.`;
}

function pendingWords({ notice }: Told): readonly string[] {
  const isPending = notice.facts['awaitsVerification'] === true;
  return isPending ? ['It cannot be used before a lead of the vendor has verified the case.'] : [];
}

/** As the facts say; of a grant just given it is whoever did it. */
function grantedBy(told: Told): Row {
  const stated = personOf(told, 'grantedBy');
  return ['Granted by', stated === '' && told.notice.event === 'grant.given' ? (told.by ?? '') : stated];
}

/** For the end of a subject: nothing where the clock or a setting did it. */
function byWords({ by }: Told): string {
  return by === null ? '' : ` by ${by}`;
}
