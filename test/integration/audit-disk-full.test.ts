// A disk that fills up under the audit journal, in the middle of a group, and has room again: nothing is forwarded
// without a record meanwhile, and what was refused is one gap with its exact count.
import { describe, expect, it } from 'vitest';
import { startGate } from '../support/gate.ts';
import { untilPublished } from '../support/gate-traffic.ts';
import { recordingUpstream } from '../support/recording-upstream.ts';
import { troubledFiles } from '../support/torture-files.ts';
import {
  askMany,
  factsOf,
  forwardedIds,
  readiness,
  someLines,
  stoppedFacts,
  UNAVAILABLE,
  untilServing,
} from '../support/torture-traffic.ts';

/** Bytes that still fit: none, a torn line, some of a group, some groups. */
const ROOM = [0, 1, 700, 1900, 8000];

const isGap = (one: Record<string, unknown>): boolean => one['event'] === 'audit.gap';

describe('a disk that is full', () => {
  it.each(ROOM)('refuses everything after %d more bytes, and goes on by itself', async (roomBytes) => {
    const files = troubledFiles();
    await using upstream = await recordingUpstream();
    await using gate = await startGate({
      upstreamPort: upstream.port,
      published: true,
      journal: { files, options: { retryMs: 30 } },
    });
    await gate.grant({});
    expect((await askMany(gate, someLines(12, 'before'))).counts).toEqual({ 200: 8, '403 rule_denied': 4 });

    files.roomBytes = roomBytes;
    const filling = (await askMany(gate, someLines(60, 'filling'))).counts;
    let refused = filling[UNAVAILABLE] ?? 0;
    expect(refused).toBeGreaterThan(0);
    expect(await readiness(gate)).toMatchObject({ ready: false, reasons: ['audit_unavailable'] });
    expect(await gate.metrics()).toContain('postern_audit_journal_available 0');
    // No answer of the gate's own leaves without its record either: all are the same.
    expect((await askMany(gate, someLines(9, 'full'))).counts).toEqual({ [UNAVAILABLE]: 9 });
    refused += 9;
    const { intents } = factsOf(gate);
    expect(forwardedIds(upstream).filter((id) => !intents.has(id))).toEqual([]);

    files.roomBytes = Number.MAX_SAFE_INTEGER;
    refused += await untilServing(gate);
    expect((await askMany(gate, someLines(12, 'after'))).counts).toEqual({ 200: 8, '403 rule_denied': 4 });
    expect(await readiness(gate)).toMatchObject({ ready: true });
    const records = await untilPublished(gate, (all) => all.some(isGap));
    const facts = await stoppedFacts(gate, upstream);
    expect(facts.gaps).toMatchObject([{ count: refused, lost: 0 }]);
    expect(records.filter(isGap)).toMatchObject([{ count: refused, lost: 0 }]);
  });

  it('may come and go: each time is a gap of its own', async () => {
    const files = troubledFiles();
    await using upstream = await recordingUpstream();
    await using gate = await startGate({
      upstreamPort: upstream.port,
      journal: { files, options: { retryMs: 10, segmentBytes: 4096 } },
    });
    await gate.grant({});
    const counts: number[] = [];
    for (let round = 0; round < 6; round++) {
      files.roomBytes = 600 * round;
      const { counts: seen } = await askMany(gate, someLines(40, `round-${round}`), 3);
      files.roomBytes = Number.MAX_SAFE_INTEGER;
      counts.push((seen[UNAVAILABLE] ?? 0) + (await untilServing(gate)));
    }
    const facts = await stoppedFacts(gate, upstream);
    expect(facts.gaps.map((gap) => gap['count'])).toEqual(counts);
    expect(facts.segments).toBeGreaterThan(1);
  });
});
