// A disk that takes its time: requests wait for their records and for nothing else. What comes in meanwhile shares one
// write and one sync, a revoke is at once, and nothing is refused.
import { describe, expect, it } from 'vitest';
import { startGate } from '../support/gate.ts';
import { recordingUpstream } from '../support/recording-upstream.ts';
import { troubledFiles } from '../support/torture-files.ts';
import { askMany, someLines, stoppedFacts } from '../support/torture-traffic.ts';

describe('a slow disk', () => {
  it('makes requests wait for their syncs, which they share', async () => {
    const files = troubledFiles();
    await using upstream = await recordingUpstream();
    await using gate = await startGate({
      upstreamPort: upstream.port,
      config: { audit: { directory: 'audit', durability: 'disk', sinks: [] } },
      journal: { files, options: { segmentBytes: 16 * 1024 } },
    });
    await gate.grant({});
    let turns = 0;
    files.syncMs = () => 50 + ((turns++ * 97) % 451);
    const before = files.syncs;
    expect((await askMany(gate, someLines(90, 'slow'), 30)).counts).toEqual({
      200: 60,
      '403 rule_denied': 30,
    });
    expect(files.syncs - before).toBeLessThan(45);
    files.syncMs = () => 0;
    const facts = await stoppedFacts(gate, upstream);
    expect(facts.gaps).toEqual([]);
    expect(facts.intents.size).toBe(60);
  });

  it('that takes 20 ms for each write loses nothing and refuses nothing', async () => {
    const files = troubledFiles();
    await using upstream = await recordingUpstream();
    await using gate = await startGate({
      upstreamPort: upstream.port,
      journal: { files, options: { segmentBytes: 16 * 1024 } },
    });
    await gate.grant({});
    files.writeMs = 20;
    const before = files.writes;
    expect((await askMany(gate, someLines(90, 'slow'), 30)).counts).toEqual({
      200: 60,
      '403 rule_denied': 30,
    });
    expect(files.writes - before).toBeLessThan(90);
    const facts = await stoppedFacts(gate, upstream);
    expect(facts.gaps).toEqual([]);
    expect(facts.intents.size).toBe(60);
  });

  it('does not hold up a revoke, and what waited for its record under it is not forwarded', async () => {
    const files = troubledFiles();
    await using upstream = await recordingUpstream();
    await using gate = await startGate({
      upstreamPort: upstream.port,
      config: { audit: { directory: 'audit', durability: 'disk', sinks: [] } },
      journal: { files },
    });
    const { id } = await gate.grant({});
    files.holdSyncs = true;
    const syncs = files.syncs;
    const waiting = askMany(
      gate,
      someLines(6, 'waiting').filter((line) => line.includes('/allowed')),
      6,
    );
    await expect.poll(() => files.syncs, { timeout: 10_000 }).toBeGreaterThan(syncs);
    await gate.revoke(id);
    expect(upstream.requests).toEqual([]);
    files.releaseSyncs();
    expect((await waiting).counts).toEqual({ '403 grant_revoked': 4 });
    expect(upstream.requests).toEqual([]);
    await stoppedFacts(gate, upstream);
  });
});
