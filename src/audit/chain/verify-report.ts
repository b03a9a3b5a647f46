// What a verification is given and what it answers: the journal as segments of bytes, the trusted keys, the checkpoints
// kept elsewhere, and a report. Damage is a list of findings and never an exception. Types and the list alone. Not hot.

/** Where a journal's bytes come from: a directory, or memory. Errors of reading are thrown through. */
export interface JournalSource {
  /** Ascending by number; `bytes` is as far as is read. */
  segments(): readonly { readonly number: number; readonly bytes: number }[];
  /** Fills `into` from `position` on and returns how many bytes that were; 0 at the end. */
  read(segment: number, into: Buffer, position: number): number;
}

/** A checkpoint that was kept where the journal's writer cannot change it, as the text of its line. */
export interface KeptCheckpoint {
  readonly text: string;
  readonly chain: string;
  readonly from: number;
  readonly to: number;
  readonly head: string;
  readonly sig: string;
}

export interface VerifyOptions {
  readonly source: JournalSource;
  /** Raw public keys, base64url, that may have signed; null trusts those that the journal names itself. */
  readonly publicKeys: readonly string[] | null;
  /** Null when there are none to compare with. */
  readonly kept: readonly KeptCheckpoint[] | null;
  /** Told after every chunk: bytes read so far. */
  readonly onProgress?: (bytes: number) => void;
}

export interface Finding {
  readonly segment: number;
  /** The first group that is not there as it was written. */
  readonly group: number;
  /** In the segment: where that group stands, or where it should. */
  readonly offset: number;
  readonly what: string;
}

export interface VerifyReport {
  readonly verified: boolean;
  /** Null when no segment line could be read. */
  readonly chain: string | null;
  readonly segments: { readonly count: number; readonly first: number; readonly last: number };
  /** Sealed groups that follow on each other; `first` and `last` are 0 when there is none. */
  readonly groups: { readonly count: number; readonly first: number; readonly last: number };
  readonly lines: number;
  readonly bytes: number;
  /** What the oldest group follows on, where older segments were removed; checked by a kept checkpoint or not. */
  readonly before: { readonly group: number; readonly hash: string; readonly checked: boolean } | null;
  readonly checkpoints: {
    readonly count: number;
    /** The last one whose signature holds. */
    readonly last: { readonly to: number; readonly t: number } | null;
    /** Groups after what the last one covers: chained, and not signed yet. */
    readonly unsignedGroups: number;
    /** Whose groups are partly gone (retention, damage), so that the Merkle root could not be computed again. */
    readonly rootsNotComputed: number;
  };
  readonly kept: {
    readonly count: number;
    /** Found in the journal as they were. */
    readonly found: number;
    /** Of groups that are no longer kept. */
    readonly older: number;
    readonly otherChains: number;
  } | null;
  /** Public keys that signed, base64url; `given` false: they are those that the journal names itself. */
  readonly keys: { readonly signed: readonly string[]; readonly given: boolean };
  /** Bytes behind the last seal: a group being written, or one that a crash tore. */
  readonly tailBytes: number;
  readonly damage: { readonly count: number; readonly findings: readonly Finding[] };
}

const MAX_FINDINGS = 100;

/** Findings in the order of the journal: all are counted, the first hundred kept. */
export class Findings {
  count = 0;
  readonly list: Finding[] = [];

  add(finding: Finding): void {
    this.count += 1;
    if (this.list.length < MAX_FINDINGS) this.list.push(finding);
  }
}

/** `group 7`, `groups 7 to 9`. */
export function groupsText(from: number, to: number): string {
  return from === to ? `group ${from}` : `groups ${from} to ${to}`;
}
