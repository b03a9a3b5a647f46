// Checkpoints in files that were kept: as sinks publish them, as syslog frames them, and as the journal has them.
import { describe, expect, it } from 'vitest';
import { readCheckpoint } from '#audit/chain/checkpoint.ts';
import { readKeptCheckpoint } from '#audit/chain/verify-kept.ts';
import { checkpointRecordOf } from '#audit/published-record.ts';
import { ChainWriter, newSigningKey } from '../../../tamper/journal.ts';

const writer = new ChainWriter(newSigningKey());
writer.addText('{"k":"opened"}\n');
const text = writer.checkpoint();
const line = readCheckpoint(text);
if (line === null) throw new Error('the writer wrote no checkpoint');
const record = checkpointRecordOf(line);

describe('a kept checkpoint', () => {
  it('is read from the journal’s line', () => {
    expect(readKeptCheckpoint(text)?.text).toBe(text);
    expect(readKeptCheckpoint(text.trimEnd())?.text).toBe(text);
  });

  it('is read from the published record, back to the very line that was signed', () => {
    expect(readKeptCheckpoint(JSON.stringify(record))).toEqual({
      text,
      chain: line.chain,
      from: 1,
      to: 1,
      head: line.head,
      sig: line.sig,
    });
  });

  it('is read behind what a transport puts in front', () => {
    const framed = `<110>1 2026-01-15T09:00:00Z gate postern - audit.checkpoint - ${JSON.stringify(record)}`;
    expect(readKeptCheckpoint(framed)?.text).toBe(text);
  });

  it('is none in other lines, broken ones and other events', () => {
    for (const other of [
      '',
      'checkpoint',
      '{"event":"audit.checkpoint"}',
      '{"event":"audit.checkpoint"',
      JSON.stringify({ ...record, event: 'audit.gap', note: 'checkpoint' }),
      JSON.stringify({ ...record, to: '1' }),
      JSON.stringify({ ...record, time: 'yesterday' }),
      JSON.stringify({ ...record, head: 'no hash' }),
    ]) {
      expect(readKeptCheckpoint(other)).toBeNull();
    }
  });
});
