// What is said of sessions: somebody came in, and why; they are out again, and what was done. Pure.
// The report's numbers and lines are facts that the store wrote when the session ended; what is absent is not said.
import { endingWords, listingsOf, type Message, rowsOf, type Told, wordsFor } from './message.ts';

type SessionEvent = 'session.started' | 'session.ended';

export const SESSION_MESSAGES: Readonly<Record<SessionEvent, (told: Told) => Message>> = {
  'session.started': started,
  'session.ended': ended,
};

function started(told: Told): Message {
  const { account, isStaff } = told;
  const who = told.by ?? 'A member of the support staff';
  return {
    subject: isStaff ? `Your session in ${account} has begun` : `${who} has entered ${account}`,
    headline: isStaff
      ? `Your session in the account ${account} has begun.`
      : `${who} has entered the account ${account} and stated a reason.`,
    paragraphs: ['Everything done in it is recorded.'],
    rows: rowsOf(told, [['Who', who]]),
    listings: [],
    whatToDo: isStaff ? 'End it when you are done, and note the steps you took.' : endingWords(told),
  };
}

/** By `endedBy`; model/session.ts has the list. */
const ENDINGS: Readonly<Record<string, string>> = {
  left: 'They ended it themselves.',
  tenant: 'An admin of the account ended it.',
  vendor: 'The vendor ended it.',
  idle: 'Nothing was done for a while, so it ended by itself.',
  limit: 'It had reached its longest time.',
  grant_ended: 'The access it stood on had ended.',
  replaced: 'They opened another session.',
};

function ended(told: Told): Message {
  const { account, isStaff } = told;
  const who = told.by ?? 'A member of the support staff';
  return {
    subject: isStaff
      ? `Your session in ${account} has ended`
      : `The session of ${who} in ${account} has ended`,
    headline: isStaff
      ? `Your session in the account ${account} has ended.`
      : `The session of ${who} in the account ${account} has ended.`,
    paragraphs: [wordsFor(ENDINGS, told.text('endedBy'), 'It is over.'), ...totals(told)],
    rows: rowsOf(told, [['Who', who]]),
    listings: listingsOf(told, [
      ['note', 'Their own note on the steps taken'],
      ['report', 'What was done'],
    ]),
    whatToDo: isStaff
      ? 'You need not do anything.'
      : 'The report of the session and every request of it can be read by the admins of the account.',
  };
}

/** `12 reads, 3 writes, 1 denied`: a session with writes is marked. */
function totals(told: Told): readonly string[] {
  const [reads, writes, denied] = [told.number('reads'), told.number('writes'), told.number('denied')];
  if (reads === null || writes === null) return [];
  const changes = writes === 0 ? 'No changes were made.' : 'Changes were made.';
  const refused = denied === null ? '' : `, ${denied} refused`;
  const partly =
    told.notice.facts['reportComplete'] === false
      ? ' Some of the record could not be read yet, so there may be more.'
      : '';
  return [`${changes} Requests: ${reads} reading, ${writes} writing${refused}.${partly}`];
}
