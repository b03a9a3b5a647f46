// What is written at once, and what is kept when that fails. Plain data of one shape each.
// Hot: one group per turn of the event loop; the outage is touched only while the journal is unavailable.
import type { AuditLog } from './audit-log.ts';
import { gapText } from './event-text.ts';
import type { Told } from './journal.ts';
import { numbersIn, unusedText } from './tenant-numbers.ts';

/** Completions and events kept in memory while the disk cannot take them. */
const MAX_HELD_CHARS = 1024 * 1024;

export class Group {
  text = '';
  /** Those of the lines that are kept for later when the group cannot be written. */
  kept = '';
  keptLines = 0;
  /** Lines that become a published record. */
  records = 0;
  /** Checkpoints among the text: no outage is long enough to lose one. */
  signed = '';
  /** Requests among `waiting`. */
  requests = 0;
  readonly waiting: Told[] = [];

  /** Adds a checkpoint. */
  sign(text: string): void {
    this.text += text;
    this.signed += text;
    this.records += 1;
  }

  /** Adds lines that must not be lost while the journal is unavailable. */
  keep(text: string, lines: number): void {
    this.text += text;
    this.kept += text;
    this.keptLines += lines;
    this.records += lines;
  }

  /** Everybody who waits, in order; whoever throws holds up no other. */
  tell(outcome: keyof Told, log: AuditLog): void {
    const { waiting } = this;
    for (let index = 0; index < waiting.length; index++) {
      try {
        waiting[index]?.[outcome]();
      } catch (error) {
        log.error({ err: error, outcome }, 'an exchange failed when it was told of its record');
      }
    }
  }
}

/** What could not be written since the last good write: it becomes the next one, and a record of the gap. */
export class Outage {
  /** Lines to be written first of all. */
  held: string;
  /** Of them, those that become a published record. */
  heldRecords = 0;
  since = 0;
  refused = 0;
  #lost = 0;
  /** Numbers of tenants that were given to lines which are not held. */
  readonly #unused = new Map<string, number[]>();

  constructor(held: string) {
    this.held = held;
  }

  /** A group that was refused. */
  add(group: Group): void {
    this.refused += group.requests;
    const isHeld = this.held.length + group.kept.length <= MAX_HELD_CHARS;
    this.#giveUp(group.text, isHeld ? group.kept : '');
    this.held += group.signed;
    if (group.signed !== '') this.heldRecords += 1;
    if (isHeld) {
      this.held += group.kept;
      this.heldRecords += group.keptLines;
    } else {
      this.#lost += group.keptLines;
    }
  }

  /** The text that ends the outage, lines about the gap and about unused numbers included. */
  textUntil(until: number): string {
    const gap = gapText({ since: this.since, until, count: this.refused, lost: this.#lost });
    return this.held + gap + unusedText(this.#unused);
  }

  /** Numbers that `textUntil` writes or declares, ascending, by tenant. */
  numbers(): Map<string, number[]> {
    const numbers = numbersIn(this.held);
    for (const [tenant, unused] of this.#unused) {
      const all = [...(numbers.get(tenant) ?? []), ...unused];
      numbers.set(
        tenant,
        all.toSorted((a, b) => a - b),
      );
    }
    return numbers;
  }

  /** Everything was written. */
  end(): void {
    this.held = '';
    this.heldRecords = 0;
    this.refused = 0;
    this.#lost = 0;
    this.#unused.clear();
  }

  #giveUp(text: string, held: string): void {
    const kept = numbersIn(held);
    for (const [tenant, numbers] of numbersIn(text)) {
      const keptNumbers = new Set(kept.get(tenant));
      const unused = numbers.filter((number) => !keptNumbers.has(number));
      if (unused.length > 0) this.#unused.set(tenant, [...(this.#unused.get(tenant) ?? []), ...unused]);
    }
  }
}
