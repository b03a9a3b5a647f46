// Checks the tenant's own numbers: ascending, and none missing that the journal does not say was never written.
// Assumes that the lines were proven. Not hot.
import type { UnusedLine } from '../journal-lines.ts';

export type NumberRange = readonly [first: number, last: number];

export class TenantSeries {
  first: number | null = null;
  last: number | null = null;
  /** Numbers of lines that could not be written, as far as they were missed. */
  unused = 0;
  readonly #holes: NumberRange[] = [];
  readonly #declared: NumberRange[] = [];

  /** False for a number that does not follow: a line that comes twice, or was moved. */
  take(n: number): boolean {
    const { last } = this;
    if (!(Number.isSafeInteger(n) && n > (last ?? 0))) return false;
    this.first ??= n;
    if (last !== null && n > last + 1) this.#holes.push([last + 1, n - 1]);
    this.last = n;
    return true;
  }

  declare({ ranges }: UnusedLine): void {
    this.#declared.push(...ranges);
  }

  /** What is missing without an explanation, ascending. */
  missing(): NumberRange[] {
    const declared = this.#declared.toSorted((a, b) => a[0] - b[0]);
    const missing: NumberRange[] = [];
    for (const [first, last] of this.#holes) {
      let from = first;
      for (const [start, end] of declared) {
        if (end < from || start > last) continue;
        if (start > from) missing.push([from, start - 1]);
        this.unused += Math.min(end, last) - Math.max(start, from) + 1;
        from = end + 1;
      }
      if (from <= last) missing.push([from, last]);
    }
    return missing;
  }
}
