// Checkpoints that were kept elsewhere, against the journal: they are what finds a journal that was cut back at a group,
// or written anew by somebody who has the signing key. Reads them as sinks publish them or as lines of a journal.
// Assumes that they are older than the reading of the journal. Cold.
import { checkpointHolds, checkpointTextOf, readCheckpoint } from './checkpoint.ts';
import { type Findings, groupsText, type KeptCheckpoint, type VerifyReport } from './verify-report.ts';
import type { Place } from './verify-tenants.ts';

const RAW_START = '{"k":"checkpoint"';

/** One line of a file of published records or of a journal; null where it holds no checkpoint. */
export function readKeptCheckpoint(line: string): KeptCheckpoint | null {
  if (!line.includes('checkpoint')) return null;
  // What a transport puts in front of a record, syslog for one, is passed over.
  const from = line.indexOf('{');
  const raw = line.slice(from).trimEnd();
  const text = raw.startsWith(RAW_START) ? `${raw}\n` : publishedText(raw);
  const checkpoint = text === null ? null : readCheckpoint(text);
  if (text === null || checkpoint === null) return null;
  const { chain, from: first, to, head, sig } = checkpoint;
  return { text, chain, from: first, to, head, sig };
}

/** The line that a record of the event `audit.checkpoint` was made from. */
function publishedText(json: string): string | null {
  try {
    const record = JSON.parse(json) as Readonly<Record<string, unknown>> | null;
    if (record?.event !== 'audit.checkpoint') return null;
    const { id, chain, from, to, head, leaves, root, key, sig, time } = record;
    const t = Date.parse(String(time));
    const texts = [id, chain, head, root, key, sig].every((value) => typeof value === 'string');
    if (!texts || ![from, to, leaves, t].every(Number.isSafeInteger)) return null;
    return checkpointTextOf({ id, t, chain, from, to, head, leaves, root, key, sig } as CheckpointParts);
  } catch {
    return null;
  }
}

type CheckpointParts = Parameters<typeof checkpointTextOf>[0];

interface KeptState {
  readonly checkpoint: KeptCheckpoint;
  /** Its group `to` was seen, with its head. */
  headSeen: boolean;
  /** Its own line was seen. */
  lineSeen: boolean;
  /** Something was said about it. */
  told: boolean;
}

/** What the journal turned out to be. */
interface JournalFacts {
  /** Null where no group of the journal follows: it may be of any. */
  readonly chain: string | null;
  readonly firstGroup: number;
  /** The last group that a checkpoint in the journal covers; 0 for none. */
  readonly lastCovered: number;
  /** Groups were damaged, so that what was not seen of them is no news. */
  readonly wasBroken: boolean;
  readonly publicKeys: readonly string[] | null;
}

export class KeptLedger {
  readonly #bySignature = new Map<string, KeptState>();
  readonly #byGroup = new Map<number, KeptState[]>();
  readonly #findings: Findings;
  #older = 0;
  #otherChains = 0;
  #count = 0;

  /** `kept` in any order; the same one may be there more than once. */
  constructor(kept: readonly KeptCheckpoint[], findings: Findings) {
    this.#findings = findings;
    for (const checkpoint of kept) {
      if (this.#bySignature.has(checkpoint.sig)) continue;
      const state: KeptState = { checkpoint, headSeen: false, lineSeen: false, told: false };
      this.#bySignature.set(checkpoint.sig, state);
      const same = this.#byGroup.get(checkpoint.to);
      if (same === undefined) this.#byGroup.set(checkpoint.to, [state]);
      else same.push(state);
    }
    this.#count = this.#bySignature.size;
  }

  /**
   * A group that follows in the chain, or the one before the oldest that is kept. True when one was
   * compared. `chain` is empty where damage hides it.
   */
  sawGroup(group: number, head: string, chain: string, place: Place): boolean {
    const states = this.#byGroup.get(group);
    if (states === undefined) return false;
    for (const state of states) {
      const { checkpoint } = state;
      if (chain !== '' && checkpoint.chain !== chain) continue;
      state.headSeen = true;
      if (checkpoint.head === head || state.told) continue;
      state.told = true;
      const what = `${groupsText(checkpoint.from, group)} differ from what a kept checkpoint signs`;
      this.#findings.add({ ...place, group: checkpoint.from, what });
    }
    return true;
  }

  /** `sig`: of a checkpoint line in the journal. */
  sawLine(sig: string): void {
    const state = this.#bySignature.get(sig);
    if (state !== undefined) state.lineSeen = true;
  }

  /** At the end of the journal: `end` is the place behind its last group, with the number after it. */
  finish(end: Place, facts: JournalFacts): void {
    let lastMissing = 0;
    let lostLine = 0;
    for (const state of [...this.#bySignature.values()].toSorted(
      (a, b) => a.checkpoint.to - b.checkpoint.to,
    )) {
      const { chain, to, text } = state.checkpoint;
      if (!checkpointHolds(text, facts.publicKeys)) {
        state.told = true;
        this.#say(end, to, `the kept checkpoint of group ${to} is not signed by the key`);
      } else if (facts.chain !== null && chain !== facts.chain) this.#otherChains += 1;
      else if (to < facts.firstGroup) this.#older += 1;
      else if (to >= end.group) lastMissing = to;
      else if (!state.lineSeen && !state.told && !facts.wasBroken) {
        // Its line stood in a group behind those that it covers.
        if (to < facts.lastCovered)
          this.#say(end, to + 1, `the kept checkpoint of group ${to} is no longer in the journal`);
        else lostLine = to;
      }
    }
    if (lastMissing > 0) {
      const missing = groupsText(end.group, lastMissing);
      this.#say(
        end,
        end.group,
        `the journal was cut back: ${missing} and the kept checkpoint that signs them are missing`,
      );
    } else if (lostLine > 0) {
      this.#say(
        end,
        end.group,
        `the journal was cut back: the kept checkpoint of group ${lostLine} is no longer in it`,
      );
    }
    if (this.#count > 0 && this.#otherChains === this.#count) {
      this.#say(end, facts.firstGroup, 'every kept checkpoint is of another chain than this journal');
    }
  }

  #say(end: Place, group: number, what: string): void {
    this.#findings.add({ ...end, group, what });
  }

  report(): VerifyReport['kept'] {
    let found = 0;
    for (const { headSeen, lineSeen, told } of this.#bySignature.values()) {
      if (headSeen && lineSeen && !told) found += 1;
    }
    return { count: this.#count, found, older: this.#older, otherChains: this.#otherChains };
  }
}
