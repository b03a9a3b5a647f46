// What is said of a bundle once it was verified. Not hot.
// Texts hold nothing from the file but numbers.
import type { BundleHeader } from './bundle-format.ts';

export interface BundleProblem {
  /** Of the file, from 1. */
  readonly line: number;
  readonly text: string;
}

export interface BundleReport {
  /** Null when the first line is none. */
  readonly header: BundleHeader | null;
  /** Empty: the bundle holds. At most 20 of them, in the order in which they were found. */
  readonly problems: readonly BundleProblem[];
  readonly problemCount: number;
  /** The keys that signed, ascending. */
  readonly keys: readonly string[];
  readonly checkpoints: number;
  /** Of the first and the last checkpoint, epoch milliseconds; null without any. */
  readonly signedFrom: number | null;
  readonly signedTo: number | null;
  /** Lines of records, which each carry one of the tenant's numbers. */
  readonly numbered: number;
  /** The tenant's own numbers. */
  readonly first: number | null;
  readonly last: number | null;
  /** Numbers in between whose lines the journal could not write. */
  readonly unused: number;
  /** Subject lines that can be opened, and those whose person was erased. */
  readonly named: number;
  readonly erased: number;
}

const MAX_PROBLEMS = 20;

/** Keeps the first problems and counts all. */
export class BundleProblems {
  readonly list: BundleProblem[] = [];
  count = 0;

  /** `line`: of the file, from 1. */
  add(line: number, text: string): void {
    this.count += 1;
    if (this.list.length < MAX_PROBLEMS) this.list.push({ line, text });
  }
}
