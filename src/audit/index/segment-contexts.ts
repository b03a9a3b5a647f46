// The lines of one snapshot put together with what they refer to, wherever a reading begins: subject, grant and policy
// lines are fetched by the places that the index knows, each once. People are looked up for this snapshot alone.
// Not hot.
import type {
  EventLine,
  GrantLine,
  IntentLine,
  JournalLine,
  PolicyLine,
  RefusedLine,
  SubjectLine,
} from '../journal-lines.ts';
import {
  LineContext,
  type ResolvedEvent,
  type ResolvedIntent,
  type ResolvedRefused,
  type ResolvedRequest,
  type SubjectKeys,
} from '../line-context.ts';
import type { Snapshot } from './snapshot.ts';

interface OneSegment {
  readonly context: LineContext;
  /** Kind and number of what was fetched. */
  readonly fetched: Set<string>;
}

const PLACE_OF = {
  subject: 'SELECT "offset" FROM subject WHERE segment = ? AND s = ?',
  grant: 'SELECT "offset" FROM grant_line WHERE segment = ? AND g = ?',
  policy: 'SELECT "offset" FROM policy WHERE segment = ? AND p = ?',
} as const;

export class SegmentContexts {
  readonly #snapshot: Snapshot;
  readonly #root: LineContext;
  readonly #segments = new Map<number, OneSegment>();

  constructor(snapshot: Snapshot, keys: SubjectKeys) {
    this.#snapshot = snapshot;
    this.#root = new LineContext(keys);
  }

  request(line: IntentLine, segment: number): ResolvedIntent;
  request(line: RefusedLine, segment: number): ResolvedRefused;
  request(line: IntentLine | RefusedLine, segment: number): ResolvedRequest {
    const one = this.#segment(segment);
    this.#subject(one, segment, line.s);
    this.#grant(one, segment, line.g);
    this.#fetch<PolicyLine>(one, segment, { kind: 'policy', number: line.p });
    return one.context.resolvedRequest(line);
  }

  event(line: EventLine, segment: number): ResolvedEvent {
    const one = this.#segment(segment);
    this.#subject(one, segment, line.s);
    return one.context.resolvedEvent(line);
  }

  /** A request as a line would be that says nothing but who and under which grant. */
  visit(segment: number, s: number, g: number): ResolvedRequest {
    return this.request({ ...NOTHING, s, g }, segment);
  }

  #segment(segment: number): OneSegment {
    const known = this.#segments.get(segment);
    if (known !== undefined) return known;
    const made = { context: this.#root.beside(), fetched: new Set<string>() };
    made.context.enter(segment);
    this.#segments.set(segment, made);
    return made;
  }

  #subject(one: OneSegment, segment: number, number: number): void {
    this.#fetch<SubjectLine>(one, segment, { kind: 'subject', number });
  }

  /** After the people it names, since a context joins them when it takes the grant. */
  #grant(one: OneSegment, segment: number, number: number): void {
    if (number === 0 || one.fetched.has(`grant ${number}`)) return;
    const line = this.#lineOf<GrantLine>(segment, { kind: 'grant', number });
    one.fetched.add(`grant ${number}`);
    if (line === null) return;
    const { grantedBy } = line.grant;
    for (const s of [grantedBy.s, grantedBy.onBehalfOf ?? 0, line.actAs ?? 0]) this.#subject(one, segment, s);
    one.context.take(line, segment);
  }

  #fetch<Line extends SubjectLine | PolicyLine>(
    one: OneSegment,
    segment: number,
    what: { readonly kind: Line['k']; readonly number: number },
  ): void {
    const { kind, number } = what;
    if (number === 0 || one.fetched.has(`${kind} ${number}`)) return;
    one.fetched.add(`${kind} ${number}`);
    const line = this.#lineOf<Line>(segment, what);
    if (line !== null) one.context.take(line, segment);
  }

  #lineOf<Line extends JournalLine>(
    segment: number,
    { kind, number }: { readonly kind: keyof typeof PLACE_OF; readonly number: number },
  ): Line | null {
    const row = this.#snapshot.get(PLACE_OF[kind], segment, number);
    if (row === null) return null;
    const line = this.#snapshot.view.lineAt<Line>(segment, Number(row['offset']));
    return line?.k === kind ? line : null;
  }
}

const NOTHING: IntentLine = {
  k: 'intent',
  tenant: null,
  s: 0,
  g: 0,
  e: 'r',
  id: '',
  t: 0,
  p: 0,
  method: '',
  version: '',
  host: '',
  path: '',
  cache: 'none',
};
