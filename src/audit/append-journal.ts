// The journal: lines of one turn of the event loop go out in one write, then their exchanges are told.
// No line, no forward: whatever cannot be written is refused, and recovery leaves a record of the gap.
// Hot: intend and complete cost building a line and pushing it; there is no promise and no closure per record.
import type { Clock } from '#model/clock.ts';
import type { ExchangeFacts } from '#model/exchange.ts';
import type { AuditLog } from './audit-log.ts';
import { eventText } from './event-text.ts';
import type { Journal, LifecycleEvent, Recordable } from './journal.ts';
import type { JournalFiles } from './journal-files.ts';
import { Group, Outage } from './journal-group.ts';
import { doneText, intentText, refusedText, startedText } from './line-text.ts';
import type { Publisher, SinkStatus } from './sinks/publisher.ts';
import type { RefusalSummary } from './refusal-summary.ts';
import type { SegmentWriter } from './segment-writer.ts';

/** A completion waits this long for a group to join: at low load that saves a write per request. */
const LINGER_MS = 5;
const SUM_MS = 1000;

export interface JournalStatus {
  readonly available: boolean;
  /** Records written since the start. */
  readonly records: number;
  /** Of all segments in the directory. */
  readonly bytes: number;
  /** Empty without sinks. */
  readonly sinks: readonly SinkStatus[];
}

/** The journal, and what only compose needs of it. */
export interface OpenJournal extends Journal {
  /** For metrics and readiness; cheap. */
  status(): JournalStatus;
  /** After SIGHUP: file sinks open their files again. */
  reopenSinks(): void;
}

export interface AppendJournalDeps {
  readonly clock: Clock;
  readonly log: AuditLog;
  readonly files: JournalFiles;
  readonly writer: SegmentWriter;
  readonly summary: RefusalSummary;
  /** Null without sinks: then nothing reads the segments. */
  readonly publisher: Publisher | null;
  readonly durability: 'os' | 'disk';
  readonly retryMs: number;
  /** The process's first line. */
  readonly opening: string;
}

export class AppendJournal implements OpenJournal {
  available = true;
  #records = 0;
  readonly #deps: AppendJournalDeps;
  readonly #flushLater: () => void;
  #group = new Group();
  #scheduled = false;
  #lingering = false;
  #summing = false;
  #closed = false;
  /** Under `durability: disk`: written and waiting for the device, in order. */
  #unsynced: Group[] = [];
  #syncedLength = 0;
  #syncing = false;
  #onSettled: (() => void) | null = null;
  readonly #outage: Outage;

  constructor(deps: AppendJournalDeps) {
    this.#deps = deps;
    this.#flushLater = () => this.#flush();
    this.#outage = new Outage(deps.opening);
    try {
      this.#write(deps.opening, 0);
      this.#outage.end();
    } catch (error) {
      this.#fail(error);
    }
  }

  intend(x: Recordable): void {
    const group = this.#group;
    group.waiting.push(x);
    group.requests += 1;
    if (this.available) group.text += intentText(x);
    this.#schedule();
  }

  refuse(x: Recordable): void {
    const group = this.#group;
    group.waiting.push(x);
    group.requests += 1;
    if (this.available) {
      if (x.credential === null && !this.#deps.summary.admits()) {
        this.#sum(x);
      } else {
        group.text += refusedText(x);
        group.records += 1;
      }
    }
    this.#schedule();
  }

  complete(x: Recordable): void {
    this.#group.waiting.push(x);
    this.#group.keep(doneText(x), 1);
    if (this.#scheduled || this.#lingering) return;
    this.#lingering = true;
    setTimeout(() => {
      this.#lingering = false;
      this.#schedule();
    }, LINGER_MS);
  }

  started(x: ExchangeFacts): void {
    this.#group.keep(startedText(x), 1);
    this.#schedule();
  }

  event(event: LifecycleEvent): void {
    this.#group.keep(eventText(event, this.#deps.clock.now()), 1);
    this.#schedule();
  }

  status(): JournalStatus {
    const { writer, publisher } = this.#deps;
    return {
      available: this.available,
      records: this.#records,
      bytes: writer.totalBytes,
      sinks: publisher?.status() ?? [],
    };
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
    while (this.#syncing && clock.monotonic() < until) await this.#settled(until - clock.monotonic());
    this.#closed = true;
    this.available = false;
    if (publisher !== null) await publisher.close(Math.max(0, until - clock.monotonic()));
    if (!this.#syncing) writer.close();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(this.#flushLater);
  }

  #sum(x: ExchangeFacts): void {
    this.#deps.summary.add(x);
    if (this.#summing) return;
    this.#summing = true;
    setTimeout(() => {
      this.#summing = false;
      this.#takeSums();
    }, SUM_MS).unref();
  }

  #takeSums(): void {
    const { summary } = this.#deps;
    if (summary.size === 0) return;
    const lines = summary.size;
    this.#group.keep(summary.take(), lines);
    this.#schedule();
  }

  #flush(): void {
    this.#scheduled = false;
    const { writer, durability } = this.#deps;
    let group = this.#group;
    if (group.text === '' && group.waiting.length === 0) return;
    if (this.available && writer.rotationDue) {
      // The old segment may not be closed under a sync that is still running: its end flushes this group.
      if (this.#syncing) return;
      try {
        writer.rotate();
        this.#syncedLength = 0;
      } catch (error) {
        this.#fail(error);
      }
    }
    group = this.#group;
    this.#group = new Group();
    if (!this.available) {
      this.#refuseAll(group);
      return;
    }
    try {
      if (group.text !== '') writer.append(group.text);
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

  /** One at a time; what is written meanwhile shares the next. */
  #sync(): void {
    if (this.#syncing || this.#unsynced.length === 0) return;
    const { files, writer } = this.#deps;
    const groups = this.#unsynced;
    const { length } = writer;
    this.#unsynced = [];
    this.#syncing = true;
    files.sync(writer.fd, (error) => this.#synced(error, groups, length));
  }

  #synced(error: Error | null, groups: readonly Group[], length: number): void {
    this.#syncing = false;
    if (error === null) {
      this.#syncedLength = length;
      for (const group of groups) this.#commit(group);
    } else {
      // After a failed sync nobody knows what the device holds, so nothing since the last good one counts.
      const later = this.#unsynced;
      this.#unsynced = [];
      this.#deps.writer.cutBack(this.#syncedLength);
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

  /** Waits until no sync runs, at most so long. */
  #settled(deadlineMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, deadlineMs);
      this.#onSettled = () => {
        if (this.#syncing) return;
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #commit(group: Group): void {
    const { publisher, writer, durability } = this.#deps;
    this.#records += group.records;
    if (publisher !== null && group.text !== '') {
      publisher.wrote(
        writer.segment,
        durability === 'disk' ? this.#syncedLength : writer.length,
        this.#records,
      );
    }
    const { waiting } = group;
    for (let index = 0; index < waiting.length; index++) {
      try {
        waiting[index]?.recorded();
      } catch (error) {
        this.#deps.log.error({ err: error }, 'an exchange failed after its record was written');
      }
    }
  }

  #refuseAll(group: Group): void {
    this.#outage.add(group);
    this.#tellRefused(group);
  }

  #tellRefused(group: Group): void {
    for (const x of group.waiting) {
      try {
        x.recordRefused();
      } catch (error) {
        this.#deps.log.error({ err: error }, 'an exchange failed after its record was refused');
      }
    }
  }

  #fail(error: unknown): void {
    if (!this.available) return;
    this.available = false;
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
    const { writer, clock, log } = this.#deps;
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
      if (writer.rotationDue) writer.rotate();
      this.#write(outage.textUntil(until), outage.heldRecords + 1);
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
    this.#tellRefused(group);
  }

  /** Synchronously on the device under `durability: disk`. Throws when nothing was written. */
  #write(text: string, records: number): void {
    const { writer, durability, files, publisher } = this.#deps;
    const before = writer.length;
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
    this.#syncedLength = writer.length;
    this.#records += records;
    publisher?.wrote(writer.segment, writer.length, this.#records);
  }
}
