// What is written at once, and what is kept when that fails. Plain data of one shape each.
// Hot: one group per turn of the event loop; the outage is touched only while the journal is unavailable.
import { gapText } from './event-text.ts';
import type { Recordable } from './journal.ts';

/** Completions and events kept in memory while the disk cannot take them. */
const MAX_HELD_CHARS = 1024 * 1024;

export class Group {
  text = '';
  /** Those of the lines that are kept for later when the group cannot be written. */
  kept = '';
  keptLines = 0;
  /** Lines that become a published record. */
  records = 0;
  /** Requests among `waiting`. */
  requests = 0;
  readonly waiting: Recordable[] = [];

  /** Adds lines that must not be lost while the journal is unavailable. */
  keep(text: string, lines: number): void {
    this.text += text;
    this.kept += text;
    this.keptLines += lines;
    this.records += lines;
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

  constructor(held: string) {
    this.held = held;
  }

  /** A group that was refused. */
  add(group: Group): void {
    this.refused += group.requests;
    if (this.held.length + group.kept.length <= MAX_HELD_CHARS) {
      this.held += group.kept;
      this.heldRecords += group.keptLines;
    } else {
      this.#lost += group.keptLines;
    }
  }

  /** The text that ends the outage, a line about the gap included. */
  textUntil(until: number): string {
    return this.held + gapText({ since: this.since, until, count: this.refused, lost: this.#lost });
  }

  /** Everything was written. */
  end(): void {
    this.held = '';
    this.heldRecords = 0;
    this.refused = 0;
    this.#lost = 0;
  }
}
