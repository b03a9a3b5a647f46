// What requests and events of a segment refer to: its subject, grant and policy lines, by their numbers, and the
// lines put together again with the people in them. A person whose key is gone stays a subject's id and nothing else.
// Assumes nothing of the journal: a reference to a line that is not there gives nulls, never a wrong person.
// Warm: off the forwarding loop, once per line; each subject line is decrypted once, when a record first needs it.
import type { Access, ReasonType } from '#model/grant.ts';
import type {
  ContextLine,
  EventLine,
  GrantLine,
  IntentLine,
  RefusedLine,
  SubjectKind,
  SubjectLine,
} from './journal-lines.ts';
import { lineKeyOf, openedBox, type PersonFields } from './subjects/subject-box.ts';

/** Where keys come from: the subjects' store, or a bundle. Methods may throw AUDIT_UNAVAILABLE, and so do their users. */
export interface SubjectKeys {
  /** The subject's key, 32 bytes; null once it is destroyed. */
  keyOf(subjectId: string): Buffer | null;
  /** Asked instead, where there is one: the key of one line (`lineKeyOf` of subject-box.ts), all that a bundle holds. */
  lineKeyOf?(subjectId: string, iv: string): Buffer | null;
}

/** Of readers without the store: nobody's name is known. */
export const NO_KEYS: SubjectKeys = { keyOf: () => null };

/** The person who asked. `id`, `name` and `email` are null once erased. */
export interface ResolvedActor {
  readonly subject: string;
  readonly id: string | null;
  readonly name: string | null;
  readonly email: string | null;
  readonly issuer: string;
  readonly org: string;
}

/** From where; nulls once erased. `peer` is null too where it is the client itself. */
export interface ResolvedPlace {
  readonly ip: string | null;
  readonly peer: string | null;
  readonly agent: string | null;
}

export interface ResolvedGrant {
  readonly id: string;
  readonly revision: number;
  readonly expiresAt: string | null;
  readonly grantedBy: {
    readonly kind: string;
    /** Null where Postern itself did it, or its line is missing. */
    readonly subject: string | null;
    readonly id: string | null;
    readonly issuer: string | null;
    /** Whom a service acted for: the id, null once erased. */
    readonly onBehalfOf: string | null;
  };
  readonly access: Access;
  readonly roles: readonly string[];
}

export interface ResolvedSession {
  readonly id: string;
  readonly access: Access;
  readonly caseRef: string | null;
  readonly reason: { readonly type: ReasonType; readonly detail: string };
}

/** What a request line says by reference. */
export interface RequestContext {
  /** Null when nobody was identified. */
  readonly actor: ResolvedActor | null;
  readonly person: ResolvedPlace;
  readonly grant: ResolvedGrant | null;
  /** Categories that the grant lifts; may be empty. */
  readonly lifts: readonly string[];
  /** Workspaces that the grant is limited to; empty: all. */
  readonly workspaces: readonly string[];
  /** The customer's user who is acted for: the id, null once erased. */
  readonly actAs: string | null;
  /** The session's, else the grant's. */
  readonly caseRef: string | null;
  /** The grant's. */
  readonly reason: { readonly type: ReasonType; readonly detail: string } | null;
  readonly session: ResolvedSession | null;
  readonly policy: string | null;
}

export type ResolvedIntent = IntentLine & RequestContext;
export type ResolvedRefused = RefusedLine & RequestContext;
export type ResolvedRequest = ResolvedIntent | ResolvedRefused;

/** Who brought an event about. `id`, `name` and `email` are null once erased. */
export interface ResolvedEventActor {
  readonly subject: string;
  readonly kind: SubjectKind;
  readonly id: string | null;
  readonly name: string | null;
  readonly email: string | null;
  readonly issuer: string | null;
}
/** `actor` is null for Postern itself. */
export type ResolvedEvent = EventLine & { readonly actor: ResolvedEventActor | null };

/** What a line refers to, held for as long as its completion is awaited, beyond its segment too. */
export interface LineParts {
  readonly subject: HeldSubject | null;
  readonly grant: HeldGrant | null;
  readonly policy: string | null;
}

const ERASED: PersonFields = Object.freeze({
  id: null,
  email: null,
  name: null,
  ip: null,
  peer: null,
  agent: null,
});
const NONE: readonly string[] = Object.freeze([]);

/** Shared by the contexts of one reader, so that what one of them forgets, all forget. */
class Keyring {
  readonly keys: SubjectKeys;
  /** What was opened under an older one counts no more. */
  generation = 0;

  constructor(keys: SubjectKeys) {
    this.keys = keys;
  }
}

class HeldSubject {
  readonly line: SubjectLine;
  readonly #ring: Keyring;
  #fields: PersonFields = ERASED;
  #openedIn = -1;

  constructor(line: SubjectLine, ring: Keyring) {
    this.line = line;
    this.#ring = ring;
  }

  fields(): PersonFields {
    const ring = this.#ring;
    if (this.#openedIn === ring.generation) return this.#fields;
    const { subject, iv } = this.line;
    const key = keyOfLine(ring.keys, subject, iv);
    this.#fields = key === null ? ERASED : (openedBox(this.line, subject, key) ?? ERASED);
    this.#openedIn = ring.generation;
    return this.#fields;
  }
}

function keyOfLine(keys: SubjectKeys, subject: string, iv: string): Buffer | null {
  if (keys.lineKeyOf !== undefined) return keys.lineKeyOf(subject, iv);
  const key = keys.keyOf(subject);
  return key === null ? null : lineKeyOf(key, Buffer.from(iv, 'base64'));
}

interface HeldGrant {
  readonly line: GrantLine;
  readonly grantedBy: HeldSubject | null;
  readonly onBehalfOf: HeldSubject | null;
  readonly actAs: HeldSubject | null;
}

export class LineContext {
  /** References to lines that were not there: a damaged journal. */
  missing = 0;
  readonly #ring: Keyring;
  readonly #subjects = new Map<number, HeldSubject>();
  readonly #grants = new Map<number, HeldGrant>();
  readonly #policies = new Map<number, string>();
  #segment = -1;

  constructor(keys: SubjectKeys | Keyring) {
    this.#ring = keys instanceof Keyring ? keys : new Keyring(keys);
  }

  /** An empty one, for another segment, that forgets together with this one. */
  beside(): LineContext {
    return new LineContext(this.#ring);
  }

  /** The lines that follow are of this segment: numbers of another one mean nothing here. */
  enter(segment: number): void {
    if (segment === this.#segment) return;
    this.#segment = segment;
    this.#subjects.clear();
    this.#grants.clear();
    this.#policies.clear();
  }

  take(line: ContextLine, segment: number): void {
    this.enter(segment);
    if (line.k === 'subject') this.#subjects.set(line.s, new HeldSubject(line, this.#ring));
    else if (line.k === 'policy') this.#policies.set(line.p, line.digest);
    else this.#takeGrant(line);
  }

  /** People are looked up again: a key may have been destroyed since. Cheap. */
  forget(): void {
    this.#ring.generation += 1;
  }

  /** The subject line of that number; null when it is not there. */
  subjectLine(s: number): SubjectLine | null {
    return this.#subjects.get(s)?.line ?? null;
  }

  /** The grant line of that number; null when there is none. */
  grantLine(g: number): GrantLine | null {
    return this.#grants.get(g)?.line ?? null;
  }

  /** The policy of that number; null when there is none. */
  policyDigest(p: number): string | null {
    return this.#policies.get(p) ?? null;
  }

  partsOf(line: IntentLine | RefusedLine): LineParts {
    return {
      subject: this.#subject(line.s),
      grant: this.#found(this.#grants, line.g),
      policy: this.#found(this.#policies, line.p),
    };
  }

  resolvedRequest(line: IntentLine): ResolvedIntent;
  resolvedRequest(line: RefusedLine): ResolvedRefused;
  resolvedRequest(line: IntentLine | RefusedLine): ResolvedRequest;
  resolvedRequest(line: IntentLine | RefusedLine): ResolvedRequest {
    return { ...line, ...requestContextOf(this.partsOf(line)) };
  }

  resolvedEvent(line: EventLine): ResolvedEvent {
    const held = this.#subject(line.s);
    if (held === null) return { ...line, actor: null };
    const { subject, kind, issuer } = held.line;
    const { id, name, email } = held.fields();
    return { ...line, actor: { subject, kind, id, name, email, issuer } };
  }

  #takeGrant(line: GrantLine): void {
    const { s, onBehalfOf } = line.grant.grantedBy;
    this.#grants.set(line.g, {
      line,
      grantedBy: this.#subject(s),
      onBehalfOf: this.#subject(onBehalfOf ?? 0),
      actAs: this.#subject(line.actAs ?? 0),
    });
  }

  #subject(s: number): HeldSubject | null {
    return this.#found(this.#subjects, s);
  }

  /** 0 refers to nothing. */
  #found<T>(held: ReadonlyMap<number, T>, number: number): T | null {
    if (number === 0) return null;
    const found = held.get(number);
    if (found !== undefined) return found;
    this.missing += 1;
    return null;
  }
}

/** Opens the boxes of whoever is in it. Throws what the keys throw. */
export function requestContextOf({ subject, grant, policy }: LineParts): RequestContext {
  const place = subject === null ? ERASED : subject.fields();
  const line = grant?.line;
  return {
    actor: subject === null ? null : actorOf(subject),
    person: { ip: place.ip, peer: place.peer, agent: place.agent },
    grant: grant === null ? null : grantOf(grant),
    lifts: line?.lifts ?? NONE,
    workspaces: line?.workspaces ?? NONE,
    actAs: grant?.actAs?.fields().id ?? null,
    caseRef: line?.session?.caseRef ?? line?.caseRef ?? null,
    reason: line?.reason ?? null,
    session: line?.session === undefined ? null : { ...line.session, caseRef: line.session.caseRef ?? null },
    policy,
  };
}

/** Null for one that nobody was identified for. */
function actorOf(held: HeldSubject): ResolvedActor | null {
  const { subject, kind, issuer, org } = held.line;
  if (kind === 'anonymous') return null;
  const { id, name, email } = held.fields();
  return { subject, id, name, email, issuer: issuer ?? '', org: org ?? '' };
}

function grantOf({ line, grantedBy, onBehalfOf }: HeldGrant): ResolvedGrant {
  const { id, revision, expiresAt, access, roles } = line.grant;
  return {
    id,
    revision,
    expiresAt,
    grantedBy: {
      kind: line.grant.grantedBy.kind,
      subject: grantedBy?.line.subject ?? null,
      id: grantedBy?.fields().id ?? null,
      issuer: grantedBy?.line.issuer ?? null,
      onBehalfOf: onBehalfOf?.fields().id ?? null,
    },
    access,
    roles,
  };
}
