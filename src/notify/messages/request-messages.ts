// What is said of access requests: made, approved by a lead, decided. Pure.
// A request gives nobody access; that only an admin of the account can, and the words say so.
import {
  accessWords,
  endingWords,
  type Message,
  personOf,
  placeWords,
  type Row,
  rowsOf,
  type Told,
  wordsFor,
} from './message.ts';

type RequestEvent = 'request.made' | 'request.lead_approved' | 'request.decided';

export const REQUEST_MESSAGES: Readonly<Record<RequestEvent, (told: Told) => Message>> = {
  'request.made': made,
  'request.lead_approved': leadApproved,
  'request.decided': decided,
};

function made(told: Told): Message {
  const { account, by, isStaff } = told;
  const who = by ?? 'A member of the support staff';
  return {
    subject: `${who} asks for access to ${account}`,
    headline: `${who} asks for access to the account ${account}.`,
    paragraphs: [`Nobody has access by this alone.${asked(told)}`],
    rows: rowsOf(told, askedRows(told)),
    listings: [],
    whatToDo: isStaff
      ? 'A lead of the vendor, never the one who asks, approves or denies it.'
      : decideWords(told),
  };
}

function leadApproved(told: Told): Message {
  const { account, by, isStaff } = told;
  const who = by ?? 'A lead of the vendor';
  return {
    subject: isStaff
      ? `Your request for ${account} awaits the customer`
      : `Support asks for access to ${account}`,
    headline: `${who} has approved, on the vendor’s side, a request for access to the account ${account}.`,
    paragraphs: [`Nobody has access by this alone: the customer decides.${asked(told)}`],
    rows: rowsOf(told, askedRows(told)),
    listings: [],
    whatToDo: isStaff ? 'You need not do anything: you hear of the decision.' : decideWords(told),
  };
}

const DECISIONS: Readonly<Record<string, string>> = {
  approved: 'was approved',
  denied: 'was denied',
  lapsed: 'has lapsed: nobody decided in time',
  withdrawn: 'was withdrawn',
};

function decided(told: Told): Message {
  const { account, by, isStaff } = told;
  const decision = told.text('decision');
  const what = wordsFor(DECISIONS, decision, 'was decided');
  const isApproved = decision === 'approved';
  return {
    subject: `${isStaff ? 'Your request' : 'The request'} for access to ${account} ${what}`,
    headline: `${isStaff ? 'Your request' : 'The request of support staff'} for access to the account ${account} ${what}.`,
    paragraphs: [
      isApproved
        ? 'It became a grant, which may be narrower than what was asked for.'
        : 'Nobody has access by it.',
    ],
    rows: rowsOf(told, [['Decided by', by ?? ''], ['Why', told.text('why')], ...askedRows(told)]),
    listings: [],
    whatToDo: whatNow(told, isApproved),
  };
}

function whatNow(told: Told, isApproved: boolean): string {
  if (!told.isStaff) return isApproved ? endingWords(told) : 'You need not do anything.';
  return isApproved
    ? 'Open a session and state your reason; everything you do is recorded.'
    : 'Should you still need access, ask anew.';
}

function asked(told: Told): string {
  const access = accessWords(told);
  return access === '' ? '' : ` What is asked for: ${access}.`;
}

function askedRows(told: Told): readonly Row[] {
  return [
    ['Asked by', personOf(told, 'asker')],
    ['For', told.text('duration')],
    ['Lapses', told.text('decision') === '' ? (told.instant('lapsesAt') ?? '') : ''],
  ];
}

function decideWords(told: Told): string {
  return `An admin of the account approves it, as asked or narrower, or denies it, ${placeWords(told)}. Left alone it lapses.`;
}
