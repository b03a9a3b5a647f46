// The lines of one group of a bundle, and the context that lines refer to: whether everything a record names is there,
// and whether subject lines can be opened with the keys beside them. Not hot.
import type { GrantLine, JournalLine, SegmentLine, SubjectLine } from '../journal-lines.ts';
import type { SubjectKeys } from '../line-context.ts';
import { openedBox } from '../subjects/subject-box.ts';
import type { ReadLeaf } from './bundle-leaf.ts';
import { referencesOf, subjectsOf } from './tenant-scan.ts';

/** What a bundle has of a group: the lines of no tenant in their order, and the tenant's. */
export interface BundleGroup {
  readonly number: number;
  readonly segment: SegmentLine;
  /** Subject, policy, opened and gap lines, and the grants of a leaf before the range. */
  readonly context: readonly JournalLine[];
  /** Of records alone. */
  readonly records: readonly JournalLine[];
}

type Complain = (at: number, text: string) => void;

/** Of one segment at a time, but for the keys. */
export class BundleContext implements SubjectKeys {
  segment: SegmentLine | null = null;
  named = 0;
  erased = 0;
  readonly #complain: Complain;
  readonly #chain: string;
  readonly #subjects = new Set<number>();
  readonly #policies = new Set<number>();
  readonly #grants = new Map<number, GrantLine>();
  /** By subject and iv; of all segments, since a request may end in a later one than it began in. */
  readonly #keys = new Map<string, Buffer>();
  /** The subject line read last, whose key may follow. */
  #keyless: { readonly line: SubjectLine; readonly at: number } | null = null;

  constructor(chain: string, complain: Complain) {
    this.#chain = chain;
    this.#complain = complain;
  }

  keyOf(): null {
    return null;
  }

  lineKeyOf(subjectId: string, iv: string): Buffer | null {
    return this.#keys.get(`${subjectId} ${iv}`) ?? null;
  }

  /** A leaf of one line that belongs to no tenant. */
  take({ lines: [line], group, at }: ReadLeaf): void {
    this.settleKey();
    switch (line?.k) {
      case 'segment':
        this.#begin(line, { group, at });
        return;
      case 'subject':
        this.#subjects.add(line.s);
        this.#keyless = { line, at };
        return;
      case 'policy':
        this.#policies.add(line.p);
        return;
      case 'gap':
      case 'opened':
        return;
      default:
        this.#complain(at, 'a line that has no place in a bundle');
    }
  }

  /** The key line that follows on a subject line. */
  takeKey(key: Buffer, at: number): void {
    const subject = this.#keyless;
    this.#keyless = null;
    if (subject === null) {
      this.#complain(at, 'a key without a subject line');
      return;
    }
    const { subject: id, iv } = subject.line;
    if (openedBox(subject.line, id, key) === null)
      this.#complain(at, 'the key does not open the subject line');
    this.#keys.set(`${id} ${iv}`, key);
    this.named += 1;
  }

  /** No key followed: the person was erased. */
  settleKey(): void {
    if (this.#keyless !== null) this.erased += 1;
    this.#keyless = null;
  }

  /** The tenant's lines of a group, once its other leaves were read. */
  resolve({ lines, at }: ReadLeaf): void {
    for (const [index, line] of lines.entries()) {
      if (line.k === 'grant') this.#grants.set(line.g, line);
      if (line.k !== 'intent' && line.k !== 'refused' && line.k !== 'event') continue;
      const { s, g, p } = referencesOf(line);
      const subjects = [s];
      const grant = this.#grants.get(g);
      if (g > 0 && grant === undefined)
        this.#complain(at + index, 'the grant line that it refers to is missing');
      if (p > 0 && !this.#policies.has(p))
        this.#complain(at + index, 'the policy line that it refers to is missing');
      if (grant !== undefined) subjects.push(...subjectsOf(grant));
      if (subjects.some((subject) => subject > 0 && !this.#subjects.has(subject))) {
        this.#complain(at + index, 'a subject line that it refers to is missing');
      }
    }
  }

  /** Of the tenant's lines before the range only the grants count. */
  takeGrants({ lines }: ReadLeaf): void {
    for (const line of lines) if (line.k === 'grant') this.#grants.set(line.g, line);
  }

  #begin(line: SegmentLine, { group, at }: { readonly group: number; readonly at: number }): void {
    const follows = this.segment === null || line.segment > this.segment.segment;
    if (line.chain !== this.#chain || line.group !== group || !follows) {
      this.#complain(at, 'a segment line that does not fit here');
    }
    this.segment = line;
    this.#subjects.clear();
    this.#policies.clear();
    this.#grants.clear();
  }
}
