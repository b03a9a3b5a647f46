// The journal: lines of one turn of the event loop go out in one write, then their exchanges are told.
// No line, no forward: whatever cannot be written is refused, and recovery leaves a record of the gap.
// Hot: intend and complete cost building a line and pushing it; there is no promise and no closure per record.
import type { Clock } from '#model/clock.ts';
import type { ExchangeFacts } from '#model/exchange.ts';
import type { AuditLog } from './audit-log.ts';
import { eventText } from './event-text.ts';
import type { LifecycleEvent, Recordable, Told } from './journal.ts';
import type { JournalFiles } from './journal-files.ts';
import { Group, Outage } from './journal-group.ts';
import { doneText, intentText, type LineNumbers, refusedText, startedText } from './line-text.ts';
import type { RefusalSummary } from './refusal-summary.ts';
import type { ChainMark, SegmentWriter } from './segment-writer.ts';
import type { JournalStatus, OpenJournal } from './open-journal.ts';
import type { Publisher } from './sinks/publisher.ts';
import type { OpenSubjectStore } from './subjects/sqlite-subject-store.ts';
import { numbersIn } from './tenant-numbers.ts';

/** A completion waits this long for a group to join: at low load that saves a write per request. */
const LINGER_MS = 5;

export interface AppendJournalDeps {
  readonly clock: Clock;
  readonly log: AuditLog;
  readonly files: JournalFiles;
  readonly writer: SegmentWriter;
  readonly summary: RefusalSummary;
  readonly numbers: LineNumbers;
  readonly subjects: OpenSubjectStore;
  /** Null in tests: then nothing reads the segments. */
  readonly publisher: Publisher | null;
  readonly durability: 'os' | 'disk';
  readonly retryMs: number;
  /** The process's first line. */
  readonly opening: string;
}

export class AppendJournal implements OpenJournal {
  available = true;
  readonly subjects: OpenSubjectStore;
  #records = 0;
  readonly #deps: AppendJournalDeps;
  readonly #flushLater: () => void;
  readonly #sumsDue: () => void;
  #group = new Group();
  /** Refusals in sums that are not written yet. */
  #summed: Recordable[] = [];
  #scheduled = false;
  #lingering = false;
  #closed = false;
  /** Under `durability: disk`: written and waiting for the device, in order. */
  #unsynced: Group[] = [];
  #syncedMark: ChainMark;
  #syncing = false;
  #onSettled: (() => void) | null = null;
  readonly #outage: Outage;

  constructor(deps: AppendJournalDeps) {
    this.#deps = deps;
    this.subjects = deps.subjects;
    this.#flushLater = () => this.#flush();
    this.#sumsDue = () => this.#takeSums();
    this.#outage = new Outage(deps.opening);
    this.#syncedMark = deps.writer.mark;
    deps.publisher?.onCheckpoint((text) => this.#checkpoint(text));
    try {
      this.#write(deps.numbers.tenants.snapshot(new Map()) + deps.opening, 0);
      this.#outage.end();
    } catch (error) {
      this.#fail(error);
    }
  }

  intend(x: Recordable): void {
    const group = this.#group;
    group.waiting.push(x);
    group.requests += 1;
    if (this.available) this.#add(group, x, intentText);
    this.#schedule();
  }

  refuse(x: Recordable): void {
    if (this.available && x.credential === null && !this.#deps.summary.admits()) {
      // Its answer waits for the sum that it is in: a kill in between would leave an answer without a record.
      this.#deps.summary.add(x, this.#sumsDue);
      this.#summed.push(x);
      return;
    }
    const group = this.#group;
    group.waiting.push(x);
    group.requests += 1;
    if (this.available) {
      this.#add(group, x, refusedText);
      group.records += 1;
    }
    this.#schedule();
  }

  complete(x: ExchangeFacts, waits?: Told): void {
    // Whoever waits for nothing is let go of: an exchange held until the next group survives collections for it.
    if (waits !== undefined) this.#group.waiting.push(waits);
    this.#group.keep(doneText(x, this.#deps.numbers), 1);
    if (this.#scheduled || this.#lingering) return;
    this.#lingering = true;
    setTimeout(() => {
      this.#lingering = false;
      this.#schedule();
    }, LINGER_MS);
  }

  started(x: ExchangeFacts): void {
    this.#group.keep(startedText(x, this.#deps.numbers), 1);
    this.#schedule();
  }

  event(event: LifecycleEvent): void {
    this.#group.keep(this.#eventText(event), 1);
    this.#schedule();
  }

  eventWritten(event: LifecycleEvent): Promise<boolean> {
    return new Promise((resolve) => {
      this.#group.waiting.push({ recorded: () => resolve(true), recordRefused: () => resolve(false) });
      this.event(event);
    });
  }

  subjectsErased(): void {
    this.#deps.numbers.context.forget();
  }

  status(): JournalStatus {
    const { writer, publisher } = this.#deps;
    const sinks = publisher?.status() ?? [];
    return { available: this.available, records: this.#records, bytes: writer.totalBytes, sinks };
  }

  reopenSinks(): void {
    this.#deps.publisher?.reopen();
  }

  async close(deadlineMs: number): Promise<void> {
    if (this.#closed) return;
    const until = this.#deps.clock.monotonic() + deadlineMs;
    this.#takeSums();
    if (!this.available) this.#recover();
    this.#flush();
    const { publisher, writer, clock } = this.#deps;
    await this.#settle(until);
    if (publisher !== null && this.available) {
      await publisher.finish(Math.max(0, until - clock.monotonic()));
      this.#flush();
      await this.#settle(until);
    }
    this.#closed = true;
    this.available = false;
    if (publisher !== null) await publisher.close(Math.max(0, until - clock.monotonic()));
    if (!this.#syncing) writer.close();
    this.#deps.subjects.close();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(this.#flushLater);
  }

  #add(group: Group, x: Recordable, textOf: typeof intentText): void {
    const { numbers } = this.#deps;
    try {
      const line = textOf(x, numbers);
      group.text += numbers.context.taken();
      group.text += line;
    } catch (error) {
      // Without its subject's key a line cannot be written: the group is refused as if the disk were full.
      this.#fail(error);
    }
  }

  #eventText(event: LifecycleEvent): string {
    const { clock, numbers } = this.#deps;
    try {
      return eventText(event, clock.now(), numbers);
    } catch (error) {
      this.#fail(error);
      const details = { ...event.details, actor: 'unknown' };
      return eventText({ ...event, actor: null, details }, clock.now(), numbers);
    }
  }

  #checkpoint(text: string): void {
    this.#group.sign(text);
    this.#schedule();
  }

  #takeSums(): void {
    const { summary } = this.#deps;
    if (summary.size === 0) return;
    const lines = summary.size;
    const group = this.#group;
    group.keep(summary.take(), lines);
    group.requests += this.#summed.length;
    for (const x of this.#summed) group.waiting.push(x);
    this.#summed = [];
    this.#schedule();
  }

  #flush(): void {
    this.#scheduled = false;
    const { writer, durability } = this.#deps;
    let group = this.#group;
    if (group.text === '' && group.waiting.length === 0) return;
    let carried = '';
    if (this.available && writer.rotationDue) {
      // The old segment may not be closed under a sync that is still running: its end flushes this group.
      if (this.#syncing) return;
      carried = this.#rotate(group.text);
    }
    group = this.#group;
    this.#group = new Group();
    if (!this.available) {
      this.#refuseAll(group);
      return;
    }
    try {
      if (group.text !== '') this.#append(group.text, carried);
    } catch (error) {
      this.#fail(error);
      this.#refuseAll(group);
      return;
    }
    if (durability === 'disk' && group.text !== '') {
      this.#unsynced.push(group);
      this.#sync();
    } else {
      this.#commit(group);
    }
  }

  #append(text: string, carried: string): void {
    const { writer, numbers } = this.#deps;
    const snapshot = writer.length === 0 ? numbers.tenants.snapshot(numbersIn(text)) : '';
    writer.append(snapshot + carried + text);
    numbers.context.trim();
  }

  /** Context lines that the pending lines need again; a failure is the journal's. */
  #rotate(pending: string): string {
    const { writer, numbers } = this.#deps;
    try {
      writer.rotate();
      this.#syncedMark = writer.mark;
      return numbers.context.segmentBegins(pending);
    } catch (error) {
      this.#fail(error);
      return '';
    }
  }

  /** One at a time; what is written meanwhile shares the next. */
  #sync(): void {
    if (this.#syncing || this.#unsynced.length === 0) return;
    const { files, writer } = this.#deps;
    const groups = this.#unsynced;
    const { mark } = writer;
    this.#unsynced = [];
    this.#syncing = true;
    files.sync(writer.fd, (error) => this.#synced(error, groups, mark));
  }

  #synced(error: Error | null, groups: readonly Group[], mark: ChainMark): void {
    this.#syncing = false;
    if (error === null) {
      this.#syncedMark = mark;
      for (const group of groups) this.#commit(group);
    } else {
      // After a failed sync nobody knows what the device holds, so nothing since the last good one counts.
      const later = this.#unsynced;
      this.#unsynced = [];
      this.#deps.writer.cutBack(this.#syncedMark);
      this.#deps.writer.abandon();
      this.#fail(error);
      for (const group of groups) this.#refuseAll(group);
      for (const group of later) this.#refuseAll(group);
    }
    this.#sync();
    if (!this.#syncing) {
      this.#flush();
      this.#onSettled?.();
    }
  }

  /** Waits until no sync runs, at the latest until then. */
  async #settle(until: number): Promise<void> {
    const { clock } = this.#deps;
    while (this.#syncing && clock.monotonic() < until) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, until - clock.monotonic());
        this.#onSettled = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  #commit(group: Group): void {
    const { publisher, writer, durability } = this.#deps;
    this.#records += group.records;
    if (publisher !== null && group.text !== '') {
      publisher.wrote(
        writer.segment,
        durability === 'disk' ? this.#syncedMark.length : writer.length,
        this.#records,
      );
    }
    group.tell('recorded', this.#deps.log);
  }

  #refuseAll(group: Group): void {
    this.#outage.add(group);
    group.tell('recordRefused', this.#deps.log);
  }

  #fail(error: unknown): void {
    if (!this.available) return;
    this.available = false;
    this.#deps.numbers.context.forget();
    this.#outage.since = this.#deps.clock.now();
    this.#deps.log.error({ err: error }, 'the audit journal is unavailable: every request is refused');
    this.#retryLater();
  }

  #retryLater(): void {
    if (this.#closed) return;
    setTimeout(() => this.#recover(), this.#deps.retryMs).unref();
  }

  #recover(): void {
    if (this.#closed) return;
    const { writer, clock, log, numbers, subjects } = this.#deps;
    if (this.#syncing || !writer.hasRoom()) {
      this.#retryLater();
      return;
    }
    const until = clock.now();
    // What came in since the last turn has no lines: it is refused with the rest, and counted in the gap.
    const group = this.#group;
    this.#group = new Group();
    const outage = this.#outage;
    outage.add(group);
    try {
      subjects.version();
      if (writer.rotationDue) writer.rotate();
      numbers.context.forget();
      const snapshot = writer.length === 0 ? numbers.tenants.snapshot(outage.numbers()) : '';
      this.#write(snapshot + outage.textUntil(until), outage.heldRecords + 1);
      this.available = true;
      log.warn(
        { refused: outage.refused, forMs: until - outage.since },
        'the audit journal can be written again',
      );
      outage.end();
    } catch {
      this.#retryLater();
    }
    // Only now, since whoever is told may hand in the next request at once: that one is to have its line.
    group.tell('recordRefused', this.#deps.log);
  }

  /** Synchronously on the device under `durability: disk`. Throws when nothing was written. */
  #write(text: string, records: number): void {
    const { writer, durability, files, publisher } = this.#deps;
    const before = writer.mark;
    writer.append(text);
    if (durability === 'disk') {
      try {
        files.syncNow(writer.fd);
      } catch (error) {
        writer.cutBack(before);
        writer.abandon();
        throw error;
      }
    }
    this.#syncedMark = writer.mark;
    this.#records += records;
    publisher?.wrote(writer.segment, writer.length, this.#records);
  }
}
