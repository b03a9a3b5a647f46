// A device that returns errors under the audit journal: on write, in the middle of a write, on sync, on cutting a file
// back, on opening the next segment. Whatever fails, nothing is forwarded without a record, and the gate comes back.
import { describe, expect, it } from 'vitest';
import { type Gate, startGate } from '../support/gate.ts';
import { recordingUpstream } from '../support/recording-upstream.ts';
import { type TroubledFiles, troubledFiles } from '../support/torture-files.ts';
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

interface Trouble {
  readonly name: string;
  readonly durability: 'os' | 'disk';
  begin(files: TroubledFiles): void;
  end(files: TroubledFiles): void;
}

const TROUBLES: readonly Trouble[] = [
  {
    name: 'EIO on every write',
    durability: 'os',
    begin: (files) => void (files.failWrites = 'EIO'),
    end: (files) => void (files.failWrites = null),
  },
  {
    name: 'an error in the middle of a write, and none of it can be cut off',
    durability: 'os',
    begin: (files) => void Object.assign(files, { roomBytes: 900, failTruncate: true }),
    end: (files) => void Object.assign(files, { roomBytes: Number.MAX_SAFE_INTEGER, failTruncate: false }),
  },
  {
    name: 'EIO on sync',
    durability: 'disk',
    begin: (files) => void (files.failSync = 'EIO'),
    end: (files) => void (files.failSync = null),
  },
  {
    name: 'EIO on sync, and what was written cannot be cut off',
    durability: 'disk',
    begin: (files) => void Object.assign(files, { failSync: 'EIO', failTruncate: true }),
    end: (files) => void Object.assign(files, { failSync: null, failTruncate: false }),
  },
  {
    name: 'no segment can be opened',
    durability: 'os',
    begin: (files) => void (files.failOpen = 'EMFILE'),
    end: (files) => void (files.failOpen = null),
  },
];

async function gateOn(port: number, files: TroubledFiles, durability: 'os' | 'disk'): Promise<Gate> {
  return startGate({
    upstreamPort: port,
    journal: { files, options: { retryMs: 20, segmentBytes: 8192 } },
    config: { audit: { directory: 'audit', durability, sinks: [] } },
  });
}

describe('a device that fails', () => {
  it.each(TROUBLES)(
    '$name: refuses everything, and goes on by itself',
    async ({ durability, begin, end }) => {
      const files = troubledFiles();
      await using upstream = await recordingUpstream();
      await using gate = await gateOn(upstream.port, files, durability);
      await gate.grant({});
      const refusals: number[] = [];
      for (let round = 0; round < 3; round++) {
        await askMany(gate, someLines(9, `before-${round}`));
        begin(files);
        const seen = (await askMany(gate, someLines(60, `failing-${round}`))).counts;
        expect(seen[UNAVAILABLE]).toBeGreaterThan(0);
        expect(await readiness(gate)).toMatchObject({ ready: false, reasons: ['audit_unavailable'] });
        expect((await askMany(gate, someLines(6, 'failed'))).counts).toEqual({ [UNAVAILABLE]: 6 });
        const { intents } = factsOf(gate);
        expect(forwardedIds(upstream).filter((id) => !intents.has(id))).toEqual([]);
        end(files);
        refusals.push((seen[UNAVAILABLE] ?? 0) + 6 + (await untilServing(gate)));
      }
      const facts = await stoppedFacts(gate, upstream);
      expect(facts.gaps.map((gap) => gap['count'])).toEqual(refusals);
    },
  );

  it('writes in small pieces, and every line is whole', async () => {
    const files = troubledFiles();
    files.maxWriteBytes = 61;
    await using upstream = await recordingUpstream();
    await using gate = await gateOn(upstream.port, files, 'disk');
    await gate.grant({});
    expect((await askMany(gate, someLines(60, 'pieces'))).counts).toEqual({ 200: 40, '403 rule_denied': 20 });
    const facts = await stoppedFacts(gate, upstream);
    expect(facts.gaps).toEqual([]);
    expect(facts.intents.size).toBe(40);
    expect(facts.refused.size).toBe(20);
  });
});
