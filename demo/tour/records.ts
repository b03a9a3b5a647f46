// Reads the published records of the demo's file sink. The sink follows the journal with a little delay, so every
// look waits for its record, with an end.
import { readFile } from 'node:fs/promises';
import { until } from '../waiting.ts';

const RECORD_WITHIN_MS = 10_000;

export type AuditRecord = Readonly<Record<string, unknown>>;

export interface Records {
  /** The first record that matches; throws when none has come after 10 s. */
  find(what: string, matches: (record: AuditRecord) => boolean): Promise<AuditRecord>;
  /** How many have been published so far. */
  count(): Promise<number>;
}

export function createRecords(file: string): Records {
  async function all(): Promise<readonly AuditRecord[]> {
    const text = await readFile(file, 'utf8').catch(() => '');
    // What stands behind the last line break is a line still being written.
    return text
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as AuditRecord);
  }

  return {
    find: (what, matches) =>
      until(`the record of ${what}`, RECORD_WITHIN_MS, async () => (await all()).find(matches)),
    count: async () => (await all()).length,
  };
}

/** `valueAt(record, 'rule.id')`; undefined where a member on the way is missing. */
export function valueAt(record: AuditRecord, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>((value, name) => (value as Record<string, unknown> | null | undefined)?.[name], record);
}
