// Reads what the file sink published, as its consumer would: numbers without gaps, repeats only of what was there.
// Shares no code with the product.
import { createReadStream, existsSync } from 'node:fs';
import { createInterface } from 'node:readline';

export interface PublishedFacts {
  /** Different records. */
  readonly records: number;
  /** Lines that repeat a record. */
  readonly duplicates: number;
  /** Request ids of requests that have a record; streams under the id of their end or of their beginning. */
  readonly requests: ReadonlySet<string>;
  /** Ids of all records. */
  readonly ids: ReadonlySet<string>;
  /** Of requests whose end was never seen: the gateway was killed. */
  readonly unknown: number;
  /** Request ids and what the records say of their gaps: `audit.gap` records. */
  readonly gaps: readonly Readonly<Record<string, unknown>>[];
  readonly problems: readonly string[];
}

export async function readPublished(file: string): Promise<PublishedFacts> {
  const bySeq: string[] = [];
  const ids = new Set<string>();
  const requests = new Set<string>();
  const gaps: Record<string, unknown>[] = [];
  const problems: string[] = [];
  const problem = (text: string): void => {
    if (problems.length < 100) problems.push(text);
  };
  let duplicates = 0;
  let unknown = 0;
  let lines = 0;
  const input = existsSync(file) ? createInterface({ input: createReadStream(file) }) : [];
  for await (const text of input) {
    lines += 1;
    let record: Record<string, unknown>;
    try {
      record = JSON.parse(text) as Record<string, unknown>;
    } catch {
      problem(`line ${lines} is not JSON: ${text.slice(0, 80)}`);
      continue;
    }
    const seq = Number(record['seq']);
    const id = String(record['id']);
    const last = bySeq.length;
    if (seq <= last) {
      duplicates += 1;
      if (bySeq[seq - 1] !== id) problem(`line ${lines}: number ${seq} is ${id}, and was ${bySeq[seq - 1]}`);
      continue;
    }
    if (seq !== last + 1) {
      problem(`line ${lines}: number ${seq} after ${last}`);
      while (bySeq.length < seq - 1) bySeq.push('');
    }
    bySeq.push(id);
    if (ids.has(id)) problem(`line ${lines}: ${id} comes under a second number, ${seq}`);
    ids.add(id);
    if (typeof record['requestId'] === 'string') requests.add(record['requestId']);
    if (record['outcome'] === 'unknown') unknown += 1;
    if (record['event'] === 'audit.gap') gaps.push(record);
  }
  return { records: bySeq.length, duplicates, requests, ids, unknown, gaps, problems };
}
