// What a message says, before it is text or HTML: the same parts for both, so that they cannot differ. Pure, types and
// the reading of a notice's facts, which are whatever the store wrote: a fact of another type than expected is absent.
import type { Notice } from '#model/notice.ts';
import { instantText, lengthText, linesOf, oneLine, personName, spaced } from './words.ts';

export type Row = readonly [label: string, value: string];

export interface Listing {
  readonly title: string;
  readonly lines: readonly string[];
}

export interface Message {
  /** One line. */
  readonly subject: string;
  /** One sentence: what happened. */
  readonly headline: string;
  /** What it means. */
  readonly paragraphs: readonly string[];
  readonly rows: readonly Row[];
  /** What somebody wrote or did, line by line, under a title; none is empty. */
  readonly listings: readonly Listing[];
  /** What the reader can do about it: how it is ended. */
  readonly whatToDo: string;
}

export interface MessageContext {
  readonly side: 'tenant' | 'staff' | 'decider' | 'operator';
  /** IANA name: instants are written in it. */
  readonly timeZone: string;
  /** With `{tenant}` in it; null: none. */
  readonly manageUrl: string | null;
}

/** A notice as the sentences need it: everything in it is one line and fit to be shown. */
export interface Told {
  readonly notice: Notice;
  readonly context: MessageContext;
  readonly isStaff: boolean;
  /** `acme`, or `all accounts` for what belongs to no one tenant. */
  readonly account: string;
  /** Null where the clock did it. */
  readonly by: string | null;
  /** A text fact, one line; empty where there is none. */
  text(fact: string): string;
  number(fact: string): number | null;
  /** An instant in words; null where there is none. */
  instant(fact: string): string | null;
}

export function toldOf(notice: Notice, context: MessageContext): Told {
  const number = (fact: string): number | null => {
    const value = notice.facts[fact];
    return typeof value === 'number' && Number.isFinite(value) ? value : null;
  };
  return {
    notice,
    context,
    isStaff: context.side !== 'tenant',
    account: notice.tenant === null ? 'all accounts' : oneLine(notice.tenant),
    by: personName(notice.by),
    text(fact) {
      const value = notice.facts[fact];
      return typeof value === 'string' ? oneLine(value) : '';
    },
    number,
    instant(fact) {
      const at = number(fact);
      return at === null ? null : instantText(at, context.timeZone);
    },
  };
}

/** `read` and `write` in words a customer reads without a manual. */
export function accessWords(told: Told): string {
  const access = told.text('access');
  if (access === 'write') return 'reading and making changes';
  return access === 'read' ? 'reading only' : '';
}

/** The rows that a notice has facts for, in this order; absent facts have none. */
export function rowsOf(told: Told, more: readonly Row[] = []): readonly Row[] {
  const reason = [spaced(told.text('reasonType')), told.text('reasonDetail')].filter((part) => part !== '');
  const duration = told.number('durationMs');
  const isOver = told.instant('endedAt') !== null;
  const rows: readonly Row[] = [
    ['Account', told.notice.tenant === null ? '' : told.account],
    ...more,
    ['Access', accessWords(told)],
    ['Roles', told.text('roles')],
    ['Workspaces', told.text('workspaces')],
    ['From', told.instant('startsAt') ?? told.instant('startedAt') ?? ''],
    ['Until', endWords(told)],
    [isOver ? 'Lasted' : 'For', duration === null ? '' : lengthText(duration)],
    ['Case', told.text('caseRef')],
    ['Reason', reason.join(': ')],
    ['On behalf of', told.text('actAs')],
    ['For staff of', told.text('audienceOrg')],
    ['Grant', told.text('grantId')],
    ['Request', told.text('requestId')],
    ['Session', told.text('sessionId')],
    ['Lock', told.text('lockId')],
    ['Emergency', told.text('emergencyId')],
  ];
  return rows.filter(([, value]) => value !== '');
}

/** Of a grant and of a lock a null end is said: it has none. */
function endWords(told: Told): string {
  const end = told.instant('expiresAt') ?? told.instant('endedAt') ?? told.instant('endsAt');
  if (end !== null) return end;
  const { event, facts } = told.notice;
  if (event.startsWith('grant.') && facts['expiresAt'] === null) return 'somebody ends it';
  return event === 'lock.set' && facts['endsAt'] === null ? 'the vendor lifts it' : '';
}

/** One for each of the facts, `[fact, title]`, that holds any text. */
export function listingsOf(told: Told, facts: readonly Row[]): readonly Listing[] {
  return facts.flatMap(([fact, title]) => {
    const value = told.notice.facts[fact];
    const lines = typeof value === 'string' ? linesOf(value) : [];
    return lines.length === 0 ? [] : [{ title, lines }];
  });
}

/** Who did something, by two flat facts: `grantedBy` reads `grantedByName` and `grantedByEmail`. Empty where nobody is. */
export function personOf(told: Told, prefix: string): string {
  const name = told.text(`${prefix}Name`);
  const email = told.text(`${prefix}Email`);
  return personName({ name, email }) ?? '';
}

/** How an admin ends access, with the address where there is one. */
export function endingWords(told: Told): string {
  return `Any admin of the account can end support access at any moment, ${placeWords(told)}. It ends at once, for work in progress too.`;
}

/** The words that a table has for a fact; `otherwise` for a fact that a newer version wrote. */
export function wordsFor(table: Readonly<Record<string, string>>, key: string, otherwise: string): string {
  return Object.hasOwn(table, key) ? (table[key] ?? otherwise) : otherwise;
}

/** Where an admin manages access. */
export function placeWords({ context, notice }: Told): string {
  const { manageUrl } = context;
  if (manageUrl === null) return 'in the support access settings of the account';
  return `at ${manageUrl.replaceAll('{tenant}', encodeURIComponent((notice.tenant ?? '').toWellFormed()))}`;
}
