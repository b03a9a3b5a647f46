// Verifies a journal: every group's seal, every segment's first line, lines, tenants' numbers, checkpoints, and those
// that were kept elsewhere. What is wrong is told with the group where it begins, and reading goes on at the next group
// that follows on anything known, so that several damages are found. Never throws for what a journal holds.
// Hot for `audit verify`: bench/verify.ts measures it, test/security/audit-tamper.test.ts attacks it.
import { GENESIS, sealText } from './seal.ts';
import { CheckpointLedger } from './verify-checkpoints.ts';
import {
  type Anchor,
  type Header,
  headerAnchor,
  headerFault,
  oldestAnchor,
  readHeader,
} from './verify-header.ts';
import { KeptLedger } from './verify-kept.ts';
import { isTornTail, LineReader } from './verify-lines.ts';
import { Findings, groupsText, type VerifyOptions, type VerifyReport } from './verify-report.ts';
import { GroupScanner, type Seal } from './verify-scanner.ts';
import { TenantLedger } from './verify-tenants.ts';

/** Throws only what the source throws. A report without a segment says nothing: there was no journal. */
export function verifyJournal(options: VerifyOptions): VerifyReport {
  const segments = options.source.segments();
  const walk = new Walk(options, segments[0]?.number === 1);
  for (const [i, { number, bytes }] of segments.entries()) {
    walk.segment(number, bytes, i === segments.length - 1);
  }
  return walk.report(segments);
}

/** What a broken group leaves to follow on: what its seal says, and what it should. */
const MAX_OTHERS = 4;

class Walk {
  readonly #options: VerifyOptions;
  readonly #findings = new Findings();
  readonly #tenants: TenantLedger;
  readonly #checkpoints: CheckpointLedger;
  readonly #kept: KeptLedger | null;
  readonly #lines: LineReader;
  readonly #scanner: GroupScanner;
  #bytes = 0;
  #chain: string | null = null;
  #segment = 0;
  /** The last group that follows in the chain; null before the first. */
  #good: Anchor | null;
  /** Damage was told, and nothing follows since. */
  #isBroken = false;
  #wasBroken = false;
  /** While broken: what the next group may follow on besides the last good one. */
  #others: Anchor[] = [];
  #lastSeen = 0;
  #groups = 0;
  #firstGroup = 0;
  #before: VerifyReport['before'] = null;
  #tailBytes = 0;

  constructor(options: VerifyOptions, startsChain: boolean) {
    const findings = this.#findings;
    this.#options = options;
    this.#tenants = new TenantLedger(findings, startsChain);
    this.#checkpoints = new CheckpointLedger(findings, options.publicKeys, startsChain);
    this.#kept = options.kept === null ? null : new KeptLedger(options.kept, findings);
    this.#lines = new LineReader({
      findings,
      tenants: this.#tenants,
      checkpoints: this.#checkpoints,
      kept: this.#kept,
    });
    this.#scanner = new GroupScanner(options.source, (bytes) => {
      this.#bytes += bytes;
      options.onProgress?.(this.#bytes);
    });
    this.#good = startsChain ? { group: 0, head: GENESIS } : null;
  }

  segment(number: number, size: number, isLast: boolean): void {
    const missing = this.#segment + 1;
    const isHole = this.#segment !== 0 && number !== missing;
    this.#segment = isHole ? missing : number;
    const scanner = this.#scanner;
    scanner.open(number, size);
    if (isHole) {
      this.#break(
        `${missing === number - 1 ? `segment ${missing} is` : `segments ${missing} to ${number - 1} are`} missing`,
      );
      this.#segment = number;
    }
    while (scanner.next() && this.#group()) {
      // Until the segment's end, or a seal that is none.
    }
    this.#leave(size, isLast);
  }

  /** The number that the next group should have. */
  get #expected(): number {
    return this.#isBroken || this.#good === null ? this.#lastSeen + 1 : this.#good.group + 1;
  }

  /** False when what was taken for a seal is none and the segment ends. */
  #group(): boolean {
    const scanner = this.#scanner;
    const good = this.#good;
    if (good !== null && !this.#isBroken && !scanner.isFirst && !scanner.wasCut) {
      const head = scanner.hashAfter(good.head);
      if (scanner.sealText() === sealText(good.group + 1, head)) {
        this.#accept(good.group + 1, head);
        return true;
      }
    }
    let seal = scanner.seal();
    while (seal === null && scanner.extend()) seal = scanner.seal();
    if (seal === null) return false;
    this.#judge(seal, scanner.isFirst ? readHeader(scanner.lines()) : null);
    return true;
  }

  /** A group that is the first of its segment, or does not simply follow. */
  #judge(seal: Seal, header: Header | null): void {
    const scanner = this.#scanner;
    if (this.#good === null && this.#lastSeen === 0) {
      this.#good = oldestAnchor(header, scanner, seal);
      this.#lastSeen = this.#good.group;
    }
    const anchors = [this.#good, ...this.#others, header === null ? null : headerAnchor(header)];
    const previous = anchors.find((anchor) => anchor !== null && this.#follows(anchor, seal)) ?? null;
    if (previous === null) {
      this.#break(notFollowing(seal.n, this.#expected));
      // Its key may be right all the same, and what it signed should not be told as damage of its own.
      this.#checkpoints.nameKey(header?.key ?? '');
      const computed = anchors.filter((anchor) => anchor?.group === seal.n - 1) as Anchor[];
      this.#others = [
        { group: seal.n, head: seal.h },
        ...computed.map(({ head }) => ({ group: seal.n, head: scanner.hashAfter(head) })),
      ].slice(0, MAX_OTHERS);
      this.#lastSeen = seal.n;
      return;
    }
    const group = previous.group + 1;
    // Following on what its own first line says, and not on the group before, is no proof of anything.
    if (previous !== this.#good && !this.#isBroken) this.#break(notFollowing(group, this.#expected));
    else if (group !== seal.n) this.#say(group, `its seal is numbered ${seal.n}`);
    if (scanner.isFirst) this.#enter(header, previous);
    this.#accept(group, seal.h);
  }

  #follows(anchor: Anchor, seal: Seal): boolean {
    return !this.#scanner.wasCut && this.#scanner.hashAfter(anchor.head) === seal.h;
  }

  /** The first group of a segment, whose seal holds: so its first line is as it was written. */
  #enter(header: Header | null, previous: Anchor): void {
    const fault = headerFault(header, { chain: this.#chain, segment: this.#segment, previous });
    if (fault !== null) this.#say(previous.group + 1, fault);
    this.#chain ??= header?.chain ?? null;
    this.#checkpoints.nameKey(header?.key ?? '');
    if (this.#groups > 0 || previous.group === 0) return;
    const { group, head } = previous;
    const place = { segment: this.#segment, group, offset: 0 };
    const checked = this.#kept?.sawGroup(group, head, this.#chain ?? '', place) ?? false;
    this.#before = { group, hash: head, checked };
  }

  #accept(group: number, head: string): void {
    const scanner = this.#scanner;
    const place = { segment: this.#segment, group, offset: scanner.offset };
    const chain = this.#chain ?? '';
    this.#good = { group, head };
    this.#isBroken = false;
    this.#others = [];
    this.#lastSeen = group;
    this.#groups += 1;
    if (this.#firstGroup === 0) this.#firstGroup = group;
    this.#kept?.sawGroup(group, head, chain, place);
    this.#lines.beginsSegment = scanner.isFirst;
    this.#lines.read(scanner.lines(), head, chain, place);
  }

  #leave(size: number, isLast: boolean): void {
    const rest = this.#scanner.rest();
    if (isLast) {
      this.#tailBytes = rest.length;
      if (!isTornTail(rest)) this.#break('what stands behind the last seal was never written by a gateway');
    } else if (rest.length > 0) {
      this.#break('the segment, which is closed, ends within a group');
    } else if (size === 0) {
      this.#break('the segment, which is closed, is empty');
    }
  }

  /** Damage: what follows cannot be asked for what stood here. */
  #break(what: string): void {
    this.#say(this.#expected, what);
    this.#isBroken = true;
    this.#wasBroken = true;
    if (this.#good !== null) this.#lastSeen = Math.max(this.#lastSeen, this.#good.group);
    this.#tenants.lose();
    this.#checkpoints.lose();
  }

  #say(group: number, what: string): void {
    this.#findings.add({ segment: this.#segment, group, offset: this.#scanner.offset, what });
  }

  report(segments: readonly { readonly number: number }[]): VerifyReport {
    const { publicKeys } = this.#options;
    const { count, last, rootsNotComputed, signed } = this.#checkpoints;
    const lastGroup = this.#groups === 0 ? 0 : (this.#good?.group ?? 0);
    this.#tenants.finish();
    this.#kept?.finish(
      {
        segment: this.#segment,
        group: Math.max(lastGroup, this.#lastSeen) + 1,
        offset: this.#scanner.offset,
      },
      {
        chain: this.#chain,
        firstGroup: this.#firstGroup,
        lastCovered: last?.to ?? 0,
        wasBroken: this.#wasBroken,
        publicKeys,
      },
    );
    const findings = this.#findings;
    return {
      verified: findings.count === 0,
      chain: this.#chain,
      segments: {
        count: segments.length,
        first: segments[0]?.number ?? 0,
        last: segments.at(-1)?.number ?? 0,
      },
      groups: { count: this.#groups, first: this.#firstGroup, last: lastGroup },
      lines: this.#lines.lines,
      bytes: this.#bytes,
      before: this.#before,
      checkpoints: {
        count,
        last,
        unsignedGroups: this.#groups === 0 ? 0 : Math.max(0, lastGroup - (last?.to ?? this.#firstGroup - 1)),
        rootsNotComputed,
      },
      kept: this.#kept?.report() ?? null,
      keys: { signed: [...signed], given: publicKeys !== null },
      tailBytes: this.#tailBytes,
      damage: { count: findings.count, findings: findings.list },
    };
  }
}

function notFollowing(group: number, expected: number): string {
  if (group === expected)
    return 'its bytes are not those that were sealed, or it does not follow on the group before';
  return group > expected
    ? `${groupsText(expected, group - 1)} ${expected === group - 1 ? 'is' : 'are'} missing or without a seal before group ${group}`
    : `group ${group} stands where group ${expected} belongs`;
}
