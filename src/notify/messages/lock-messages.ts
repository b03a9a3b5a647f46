// What is said of the vendor's own stops and of emergencies. Pure.
// Break glass is told whatever else is: the customer gave no consent, so the words name both people as far as is known.
import { endingWords, type Message, personOf, rowsOf, type Told, wordsFor } from './message.ts';

type LockEvent = 'lock.set' | 'lock.lifted' | 'break_glass.asked' | 'break_glass.used';

export const LOCK_MESSAGES: Readonly<Record<LockEvent, (told: Told) => Message>> = {
  'lock.set': set,
  'lock.lifted': lifted,
  'break_glass.asked': asked,
  'break_glass.used': used,
};

const WHAT: Readonly<Record<string, string>> = {
  principal: 'one member of the support staff',
  tenant: 'all support access to the account',
  case: 'support access for one case',
  everything: 'all support access',
};

function stopped(told: Told): string {
  return wordsFor(WHAT, told.text('lockKind'), 'support access');
}

function set(told: Told): Message {
  const who = told.isStaff ? 'The security team' : 'The vendor’s security team';
  return {
    subject: told.isStaff ? 'Support access was locked' : `Support access to ${told.account} was locked`,
    headline: `${who} has locked ${stopped(told)}.`,
    paragraphs: [
      'While the lock holds nobody it concerns can enter, whatever access was given; work in progress was cut.',
    ],
    rows: rowsOf(told, [['Message', told.text('message')]]),
    listings: [],
    whatToDo: told.isStaff
      ? 'Ask the security team.'
      : 'You need not do anything; the access that you gave stays as it was for when the lock is lifted.',
  };
}

function lifted(told: Told): Message {
  const who = told.isStaff ? 'The security team' : 'The vendor’s security team';
  return {
    subject: told.isStaff
      ? 'A lock on support access was lifted'
      : `Support access to ${told.account} is no longer locked`,
    headline: `${who} has lifted a lock on ${stopped(told)}.`,
    paragraphs: ['Access that was given and has not ended can be used again.'],
    rows: rowsOf(told),
    listings: [],
    whatToDo: told.isStaff ? 'You need not do anything.' : endingWords(told),
  };
}

function asked(told: Told): Message {
  const who = told.by ?? 'A member of the vendor’s security team';
  return {
    subject: `Emergency access to ${told.account} was asked for`,
    headline: `${who} asks for emergency access to the account ${told.account} (break glass).`,
    paragraphs: [
      'Nobody has access by this alone: a second person of the vendor’s security team has to agree.',
    ],
    rows: rowsOf(told, [['Lapses', told.instant('lapsesAt') ?? '']]),
    listings: [],
    whatToDo: told.isStaff
      ? 'Another member of the security team, never the one who asks, agrees or lets it lapse.'
      : 'If you know of no emergency, ask the vendor. The settings of the account say whether emergency access is possible at all.',
  };
}

function used(told: Told): Message {
  return {
    subject: `Emergency access to ${told.account} was taken`,
    headline: `Emergency access to the account ${told.account} was taken without an admin’s consent (break glass).`,
    paragraphs: [
      'Two people of the vendor’s security team agreed to it. No deny rule is lifted by it, and everything done is recorded.',
    ],
    rows: rowsOf(told, [
      ['Asked by', personOf(told, 'askedBy')],
      ['Agreed by', told.by ?? ''],
    ]),
    listings: [],
    whatToDo: told.isStaff
      ? 'Open a session and state your reason; everything you do is recorded.'
      : endingWords(told),
  };
}
