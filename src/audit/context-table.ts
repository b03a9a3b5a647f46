// What the lines of a segment refer to by number: people as seen from one place, grants, policies. Each is written once
// per segment, before the first line that refers to it. Bounded: beyond a size everything is written anew when needed.
// Hot: a request whose credential and grant were seen before costs a few comparisons. `text` holds context lines that
// must stand before the line being built; whoever builds it takes them (`taken`).
import type { Actor, Grant } from '#model/grant.ts';
import type { Credential } from '#model/principal.ts';
import type { ExchangeFacts } from '#model/exchange.ts';
import type { SupportSession } from '#model/session.ts';
import type { GrantLine, GrantPart, PolicyLine, SessionPart, SubjectLine } from './journal-lines.ts';
import { asciiJson, capped } from './json-text.ts';
import { CAPS } from './line-caps.ts';
import { type PersonFields, sealedBox } from './subjects/subject-box.ts';
import type { Person, Subject, SubjectStore } from './subjects/subject-store.ts';

/** Context lines remembered of one segment. */
const MAX_KNOWN = 8192;
const DAY_MS = 86_400_000;

/** The last place a credential was seen from; one per credential. */
class Seen {
  s = 0;
  epoch = -1;
  clientIp = '';
  peerIp = '';
  agent = '';
  day = 0;
}

export class ContextTable {
  /** Context lines that are not in a group yet. */
  text = '';
  readonly #subjects: SubjectStore;
  /** Grows when what was written does not count any more: a new segment, a failed group, an erasure. */
  #epoch = 0;
  #next = 1;
  readonly #seen = new WeakMap<Credential, Seen>();
  readonly #anonymous = new Seen();
  readonly #grantsSeen = new WeakMap<Grant, { g: number; epoch: number }>();
  #digest = '';
  #policy = 0;
  /** By subject, then place. */
  readonly #places = new Map<string, Map<string, number>>();
  readonly #grants = new Map<string, { readonly revision: number; readonly g: number }>();
  readonly #sessionsSeen = new WeakMap<SupportSession, { grant: Grant; g: number; epoch: number }>();
  /** By the session's id: the last revision of its grant that was written together with it. */
  readonly #sessions = new Map<
    string,
    { readonly grant: string; readonly revision: number; readonly g: number }
  >();
  /** The lines of this segment by their number: numbers of all kinds are one series. */
  readonly #lines = new Map<number, string>();

  constructor(subjects: SubjectStore) {
    this.#subjects = subjects;
  }

  /** The subject line of whoever sent the request. Throws AUDIT_UNAVAILABLE. */
  subjectOf(x: ExchangeFacts): number {
    const credential = x.credential;
    const seen = credential === null ? this.#anonymous : this.#seen.get(credential);
    if (
      seen !== undefined &&
      seen.epoch === this.#epoch &&
      seen.clientIp === x.clientIp &&
      seen.agent === x.userAgent &&
      seen.peerIp === x.peerIp &&
      (credential !== null || seen.day === Math.floor(x.receivedAt / DAY_MS))
    ) {
      return seen.s;
    }
    return this.#seenAnew(x, credential);
  }

  /** The line of the grant as the session uses it; 0 without a grant. Throws AUDIT_UNAVAILABLE. */
  grantOf(grant: Grant | null, session: SupportSession | null = null): number {
    if (grant === null) return 0;
    if (session !== null) return this.#underSession(grant, session);
    const seen = this.#grantsSeen.get(grant);
    if (seen !== undefined && seen.epoch === this.#epoch) return seen.g;
    const known = this.#grants.get(grant.id);
    const g = known?.revision === grant.revision ? known.g : this.#addGrant(grant, null);
    this.#grantsSeen.set(grant, { g, epoch: this.#epoch });
    return g;
  }

  #underSession(grant: Grant, session: SupportSession): number {
    const seen = this.#sessionsSeen.get(session);
    if (seen !== undefined && seen.epoch === this.#epoch && seen.grant === grant) return seen.g;
    const known = this.#sessions.get(session.id);
    const isKnown = known?.grant === grant.id && known.revision === grant.revision;
    const g = isKnown ? known.g : this.#addGrant(grant, session);
    this.#sessionsSeen.set(session, { grant, g, epoch: this.#epoch });
    return g;
  }

  /** The line of the policy; 0 where none was asked. */
  policyOf(digest: string): number {
    if (digest === this.#digest) return this.#policy;
    if (digest === '') return 0;
    const p = this.#number();
    const line: PolicyLine = { k: 'policy', p, digest: capped(digest, CAPS.id) };
    this.#add(p, line);
    this.#digest = digest;
    this.#policy = p;
    return p;
  }

  /** A line for one event, written each time: the event may be kept for another segment. */
  subjectLine(person: Person): { readonly s: number; readonly text: string } {
    const s = this.#number();
    const line = subjectLine(s, { person, subject: this.#subjects.of(person), place: NOWHERE });
    return { s, text: `${asciiJson(line)}\n` };
  }

  /** What stands before the line that was just built. */
  taken(): string {
    const { text } = this;
    this.text = '';
    return text;
  }

  /** After a group was written: keeps the table within its bounds. */
  trim(): void {
    if (this.#lines.size <= MAX_KNOWN) return;
    this.forget();
    this.#lines.clear();
  }

  /**
   * What was written does not count any more: it is written again where it is needed. Lines that pending ones refer to
   * stay, since a new segment may begin before those are written.
   */
  forget(): void {
    this.#epoch += 1;
    this.#places.clear();
    this.#grants.clear();
    this.#sessions.clear();
    this.#digest = '';
    this.#policy = 0;
    this.text = '';
  }

  /** A new segment begins. Returns the context lines that `unwritten`, lines built for the old one, refer to. */
  segmentBegins(unwritten: string): string {
    const needed = new Set<number>();
    for (const line of unwritten.split('\n')) {
      if (line !== '') this.#need(line, needed);
    }
    let text = '';
    for (const number of [...needed].toSorted((a, b) => a - b)) {
      const line = this.#lines.get(number) ?? '';
      if (!unwritten.includes(line)) text += line;
    }
    this.forget();
    this.#lines.clear();
    return text;
  }

  #need(line: string, needed: Set<number>): void {
    const match = REFERENCES.exec(line);
    const numbers =
      match === null
        ? line.startsWith('{"k":"grant"')
          ? subjectsOf(JSON.parse(line) as GrantLine)
          : []
        : [match[1], match[2], match[3]].map(Number);
    for (const number of numbers) {
      const text = this.#lines.get(number);
      if (text === undefined || needed.has(number)) continue;
      needed.add(number);
      this.#need(text, needed);
    }
  }

  #seenAnew(x: ExchangeFacts, credential: Credential | null): number {
    const day = Math.floor(x.receivedAt / DAY_MS);
    const person = credential === null ? null : personOf(credential);
    const subject = person === null ? this.#subjects.anonymous(day * DAY_MS) : this.#subjects.of(person);
    const s = this.#addSubject(person, subject, {
      ip: x.clientIp,
      peer: x.peerIp === x.clientIp ? null : x.peerIp,
      agent: x.userAgent,
    });
    const seen = credential === null ? this.#anonymous : (this.#seen.get(credential) ?? new Seen());
    seen.s = s;
    seen.epoch = this.#epoch;
    seen.clientIp = x.clientIp;
    seen.peerIp = x.peerIp;
    seen.agent = x.userAgent;
    seen.day = day;
    if (credential !== null) this.#seen.set(credential, seen);
    return s;
  }

  #addSubject(person: Person | null, subject: Subject, place: Place): number {
    const key = `${place.ip?.length ?? 0}:${place.ip ?? ''}${place.peer?.length ?? 0}:${place.peer ?? ''}${place.agent ?? ''}`;
    let places = this.#places.get(subject.id);
    if (places === undefined) {
      places = new Map();
      this.#places.set(subject.id, places);
    }
    const known = places.get(key);
    if (known !== undefined) return known;
    const s = this.#number();
    this.#add(s, subjectLine(s, { person, subject, place }));
    places.set(key, s);
    return s;
  }

  #addGrant(grant: Grant, session: SupportSession | null): number {
    const by = grant.grantedBy;
    const line: Omit<GrantLine, 'g'> = {
      k: 'grant',
      tenant: capped(grant.tenant, CAPS.id),
      grant: {
        id: capped(grant.id, CAPS.id),
        revision: grant.revision,
        expiresAt: grant.expiresAt === null ? null : instantText(grant.expiresAt),
        grantedBy: {
          kind: by.kind,
          s: this.#addPerson(grantor(by)),
          onBehalfOf:
            by.onBehalfOf === null
              ? null
              : this.#addPerson({ ...by.onBehalfOf, kind: 'customer', issuer: by.issuer, org: null }),
        },
        access: grant.access,
        roles: names(grant.roles),
      },
      ...optional(grant),
      ...(grant.actAs === null
        ? {}
        : {
            actAs: this.#addPerson({
              id: grant.actAs,
              email: null,
              name: null,
              kind: 'customer',
              issuer: `tenant:${grant.tenant}`,
              org: null,
            }),
          }),
      ...(session === null ? {} : { session: sessionPart(session) }),
    };
    const g = this.#number();
    const { k, tenant, ...rest } = line;
    this.#add(g, { k, tenant, g, ...rest });
    const { revision } = grant;
    if (session === null) this.#grants.set(grant.id, { revision, g });
    else this.#sessions.set(session.id, { grant: grant.id, revision, g });
    return g;
  }

  #addPerson(person: Person): number {
    return this.#addSubject(person, this.#subjects.of(person), NOWHERE);
  }

  #number(): number {
    this.#next += 1;
    return this.#next - 1;
  }

  #add(number: number, line: SubjectLine | GrantLine | PolicyLine): void {
    const text = `${asciiJson(line)}\n`;
    this.#lines.set(number, text);
    this.text += text;
  }
}

type Place = Pick<PersonFields, 'ip' | 'peer' | 'agent'>;
const NOWHERE: Place = { ip: null, peer: null, agent: null };

/** The numbers a request's or an event's line refers to. */
const REFERENCES =
  /^\{"k":"(?:intent|refused)","tenant":(?:null|"(?:[^"\\]|\\.)*"),"s":(\d+),"g":(\d+),"e":"[rw]",(?:"n":\d+,)?"p":(\d+)/;

function subjectsOf({ grant, actAs }: GrantLine): number[] {
  const { s, onBehalfOf } = grant.grantedBy;
  return [s, onBehalfOf ?? 0, actAs ?? 0];
}

function subjectLine(
  s: number,
  {
    person,
    subject,
    place,
  }: { readonly person: Person | null; readonly subject: Subject; readonly place: Place },
): SubjectLine {
  const fields: PersonFields = {
    id: cappedOrNull(person?.id ?? null),
    email: cappedOrNull(person?.email ?? null),
    name: cappedOrNull(person?.name ?? null),
    ip: place.ip === null ? null : capped(place.ip, CAPS.address),
    peer: place.peer === null ? null : capped(place.peer, CAPS.address),
    agent: place.agent === null ? null : capped(place.agent, CAPS.agent),
  };
  return {
    k: 'subject',
    s,
    subject: subject.id,
    kind: person?.kind ?? 'anonymous',
    issuer: cappedOrNull(person?.issuer ?? null),
    org: cappedOrNull(person?.org ?? null),
    ...sealedBox(fields, subject),
  };
}

function personOf({ principal }: Credential): Person {
  const { id, issuer, org, email, name } = principal;
  return { kind: 'principal', id, issuer, org, email, name };
}

/** Who granted: a person of the customer, a service, or Postern itself. */
function grantor({ kind, id, issuer, email, name }: Actor): Person {
  const isPerson = kind === 'tenant_admin' || kind === 'tenant_user';
  return { kind: isPerson ? 'customer' : 'service', id, issuer, org: null, email, name };
}

function optional(grant: Grant): Pick<GrantLine, 'lifts' | 'workspaces' | 'caseRef' | 'reason'> {
  const { lifts, workspaces, caseRef, reason } = grant;
  return {
    ...(lifts.length > 0 ? { lifts: names(lifts) } : {}),
    ...(workspaces.length > 0 ? { workspaces: names(workspaces.map(({ id }) => id)) } : {}),
    ...(caseRef === null ? {} : { caseRef: capped(caseRef, CAPS.id) }),
    ...(reason === null ? {} : { reason: { type: reason.type, detail: capped(reason.detail, CAPS.detail) } }),
  };
}

function sessionPart({ id, access, caseRef, reason }: SupportSession): SessionPart {
  return {
    id: capped(id, CAPS.id),
    access,
    ...(caseRef === null ? {} : { caseRef: capped(caseRef, CAPS.id) }),
    reason: { type: reason.type, detail: capped(reason.detail, CAPS.detail) },
  };
}

function names(list: readonly string[]): GrantPart['roles'] {
  return list.slice(0, MAX_NAMES).map((name) => capped(name, CAPS.id));
}

const MAX_NAMES = 32;

function cappedOrNull(value: string | null): string | null {
  return value === null ? null : capped(value, CAPS.id);
}

/** An end too far for a calendar is the last instant there is, not a fault of the journal. */
function instantText(epochMs: number): string {
  return new Date(Math.min(epochMs, 8.64e15)).toISOString();
}
