// What the guards of a route make of an answer, from its head. Guarantees: a route is matched as widely as by a deny
// rule, by the same walk; what a guard has to read and cannot counts against the answer; the first guard in file and
// document order is reported. Assumes the request passed the deny rules. Hot where a set has guards: one walk.
import { type Denial, PASS, type RuleRef } from '#model/verdict.ts';
import type { GuardVerdict, ResponseFacts, RouteFacts, ShadowSink, SizeLimit } from './compiled-policy.ts';
import { OUTCOME, type Outcome, type Trace, Walk } from './evaluate.ts';
import { compileMediaTypes, type MediaTypeSet } from './media-type.ts';
import type { GuardDraft } from './response-guard.ts';
import { AnswerHead } from './response-guard-head.ts';
import { compileRules, type CompiledRule, type RuleEntry } from './rule-set.ts';

export interface Guards {
  /**
   * Every final status but 204 and 304, which have no body; HEAD as GET; the answer to a handshake unless it is a 101.
   * A redirect is judged by its own head: where it leads is for a deny rule. Bytes count as sent, compressed where the
   * body is, and in each answer for itself: pages below the limit pass, while of a range the whole counts. Never throws.
   */
  judge(facts: RouteFacts, response: ResponseFacts): GuardVerdict;
}

interface CompiledGuard {
  readonly rule: CompiledRule;
  readonly denials: Readonly<Record<Sign, Denial>>;
  readonly attachment: boolean;
  readonly types: MediaTypeSet | null;
  readonly extensions: ReadonlySet<string> | null;
  /** Infinity where it is no guard of size. */
  readonly maxBytes: number;
  readonly limit: SizeLimit;
}

type Sign = 'attachment' | 'mediaType' | 'fileName' | 'size';

/** For the record and the log: never what the answer itself says. */
const NOTES: Readonly<Record<Sign, string>> = {
  attachment: 'the answer is an attachment',
  mediaType: 'the answer is of a guarded media type, or a part of what may be',
  fileName: 'the answer is a file with a guarded extension',
  size: 'the answer is larger than the guard allows, or does not say how large',
};

const NO_RULES: readonly RuleRef[] = Object.freeze([]);
const NO_SIZES: readonly SizeLimit[] = Object.freeze([]);
const UNGUARDED: GuardVerdict = Object.freeze({
  denial: null,
  maxBodyBytes: Number.POSITIVE_INFINITY,
  sizeGuard: null,
  shadowRules: NO_RULES,
  shadowSizes: NO_SIZES,
});

export const NO_GUARDS: Guards = Object.freeze({ judge: () => UNGUARDED });

/** The judgement and its scratch space: one per compiled set, never entered twice at once since it never waits. */
export class GuardJudge implements Guards, Trace {
  private readonly guards: readonly CompiledGuard[];
  private readonly walk: Walk;
  private readonly head = new AnswerHead();
  private readonly ignored: ShadowSink = { shadowRules: NO_RULES, wantsBody: false };
  /** By order: whether the guard is about this route. */
  private readonly isAbout: boolean[];
  private anyAbout = false;

  constructor(drafts: readonly GuardDraft[]) {
    const set = compileRules(drafts);
    this.guards = drafts.map((draft, i) => compileGuard(draft, set.rules[i] as CompiledRule));
    this.isAbout = drafts.map(() => false);
    this.walk = new Walk(set);
  }

  judge(facts: RouteFacts, response: ResponseFacts): GuardVerdict {
    const { status } = response;
    if (status === 204 || status === 304) return UNGUARDED;
    this.findGuards(facts);
    if (!this.anyAbout) return UNGUARDED;
    this.head.read(response);
    return this.judgeHead();
  }

  /** Of a trace: nothing of the readings is kept. */
  reading(): void {
    // The walk itself is what is wanted.
  }

  entry(entry: RuleEntry, outcome: Outcome): void {
    // What had to be read to tell, and was not or could not be, is about this route.
    if (outcome > OUTCOME.needsBody) return;
    this.isAbout[entry.rule.order] = true;
    this.anyAbout = true;
  }

  private findGuards(facts: RouteFacts): void {
    this.anyAbout = false;
    this.isAbout.fill(false);
    const verdict = this.walk.run(facts, this.ignored, this);
    if (verdict === PASS || this.anyAbout) return;
    // A path that no rule could read is refused before it gets here; it would be every guard's.
    this.isAbout.fill(true);
    this.anyAbout = true;
  }

  private judgeHead(): GuardVerdict {
    let denial: Denial | null = null;
    let maxBodyBytes = Number.POSITIVE_INFINITY;
    let sizeGuard: RuleRef | null = null;
    let shadowRules: RuleRef[] | null = null;
    let shadowSizes: SizeLimit[] | null = null;
    for (let i = 0; i < this.guards.length; i++) {
      if (this.isAbout[i] !== true) continue;
      const guard = this.guards[i] as CompiledGuard;
      const { ref, enforced } = guard.rule;
      const sign = this.signOf(guard);
      if (sign !== null) {
        if (enforced) denial ??= guard.denials[sign];
        else (shadowRules ??= []).push(ref);
      } else if (guard.maxBytes === Number.POSITIVE_INFINITY) continue;
      else if (!enforced) (shadowSizes ??= []).push(guard.limit);
      else if (guard.maxBytes < maxBodyBytes) {
        maxBodyBytes = guard.maxBytes;
        sizeGuard = ref;
      }
    }
    return {
      denial,
      maxBodyBytes,
      sizeGuard,
      shadowRules: shadowRules ?? NO_RULES,
      shadowSizes: shadowSizes ?? NO_SIZES,
    };
  }

  /** By what the guard recognises the answer; null where it does not. */
  private signOf(guard: CompiledGuard): Sign | null {
    const { head } = this;
    if (guard.attachment && head.isAttachment) return 'attachment';
    if (guard.types !== null && head.isOfType(guard.types)) return 'mediaType';
    if (guard.extensions !== null && head.isNamed(guard.extensions)) return 'fileName';
    return head.bytes > guard.maxBytes ? 'size' : null;
  }
}

function compileGuard({ response }: GuardDraft, rule: CompiledRule): CompiledGuard {
  const { attachment, mediaTypes, extensions, maxBytes } = response;
  const denialOf = (sign: Sign): Denial =>
    Object.freeze({ reason: 'response_guarded', rule: rule.ref, note: NOTES[sign] });
  return Object.freeze({
    rule,
    denials: Object.freeze({
      attachment: denialOf('attachment'),
      mediaType: denialOf('mediaType'),
      fileName: denialOf('fileName'),
      size: denialOf('size'),
    }),
    attachment,
    types: mediaTypes.length === 0 ? null : compileMediaTypes(mediaTypes),
    extensions: extensions.length === 0 ? null : new Set(extensions),
    maxBytes: maxBytes ?? Number.POSITIVE_INFINITY,
    limit: Object.freeze({ rule: rule.ref, maxBytes: maxBytes ?? Number.POSITIVE_INFINITY }),
  });
}
