// Request ids are UUIDv7: unique, well-formed, and sorted by the time of receipt.
import { describe, expect, it } from 'vitest';
import { nextRequestId } from '../../../src/gateway/request-id.ts';
import type { EpochMs } from '#model/clock.ts';

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

describe('request ids', () => {
  it('are well-formed and unique across pool refills', () => {
    const ids = Array.from({ length: 2000 }, () => nextRequestId(Date.now() as EpochMs));
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) expect(id).toMatch(UUID_V7);
  });

  it('sort by time', () => {
    const early = nextRequestId(1_700_000_000_000 as EpochMs);
    const late = nextRequestId(1_700_000_000_001 as EpochMs);
    expect(early < late).toBe(true);
    expect(Number.parseInt(late.replaceAll('-', '').slice(0, 12), 16)).toBe(1_700_000_000_001);
  });
});
