// Law 6: a request whose record cannot be written is not forwarded. The journal is full; then there is room again.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Gate, startGate } from '../support/gate.ts';
import { ask, HELLO } from '../support/gate-traffic.ts';
import { JournalBuilder } from '../support/journal-builder.ts';
import { startAnswering } from '../support/upstream-wire.ts';

const MIB = 1024 * 1024;
const OLD_SEGMENT = join('audit', 'journal-000000000001.ndjson');

/** Almost full: what lies there already leaves room for the first few records. */
function nearlyFull(folder: string): void {
  const builder = new JournalBuilder(join(folder, 'audit'));
  builder.add({ k: 'event', tenant: null, s: 0, filler: 'x'.repeat(16 * MIB - 6000) });
}

const intents = (gate: Gate) => gate.journal().filter((line) => line['k'] === 'intent');

describe('a journal that cannot be written', () => {
  it('stops everything with 503, forwards nothing, and recovers by itself with a record of the gap', async () => {
    await using upstream = await startAnswering(HELLO);
    await using gate = await startGate({
      upstreamPort: upstream.port,
      config: { audit: { directory: 'audit', maxBytes: '16MiB', sinks: [] } },
      prepare: nearlyFull,
    });
    await gate.grant({});
    let allowed = 0;
    let answer = await ask(gate, 'GET /allowed');
    while (answer.status === 200) {
      allowed += 1;
      answer = await ask(gate, 'GET /allowed');
    }
    expect(allowed).toBeGreaterThan(0);
    expect(answer).toMatchObject({ status: 503, reason: 'audit_unavailable' });
    // Not only what would be forwarded: no answer of the gate leaves without its record either.
    expect(await ask(gate, 'GET /exports/1')).toMatchObject({ status: 503, reason: 'audit_unavailable' });
    const forwarded = () =>
      upstream.wires
        .map((wire) => wire.text)
        .join('')
        .match(/GET \/allowed/g)?.length ?? 0;
    expect(forwarded()).toBe(allowed);
    const ready = await fetch(`http://127.0.0.1:${gate.opsPort}/readyz`);
    expect(await ready.json()).toMatchObject({ ready: false, reasons: ['audit_unavailable'] });
    expect(await gate.metrics()).toContain('postern_audit_journal_available 0');
    rmSync(join(gate.folder, OLD_SEGMENT));
    await expect.poll(async () => (await ask(gate, 'GET /allowed')).status, { timeout: 10_000 }).toBe(200);
    expect(forwarded()).toBe(allowed + 1);
    expect(intents(gate)).toHaveLength(allowed + 1);
    expect(gate.journal().filter((line) => line['k'] === 'gap')).toHaveLength(1);
    expect(Number(gate.journal().find((line) => line['k'] === 'gap')?.['count'])).toBeGreaterThanOrEqual(2);
  });
});
