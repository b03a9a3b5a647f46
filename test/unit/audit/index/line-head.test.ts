// The first keys of a line are read as JSON.parse reads them, whatever their length, and also at the very end of the bytes.
import { describe, expect, it } from 'vitest';
import { idMsOf, LineHead, TENANT_AT } from '#audit/index/line-head.ts';
import { seeded } from '../../../support/index-journal.ts';

interface Facts {
  readonly tenant: string | null;
  readonly s: number;
  readonly g: number;
  readonly e: 'r' | 'w';
  readonly n: number;
  readonly p: number;
  readonly id: string;
  readonly t: number;
}

function bytesOf(kind: string, facts: Partial<Facts>): Buffer {
  return Buffer.from(JSON.stringify({ k: kind, ...facts, method: 'GET' }), 'latin1');
}

function randomFacts(random: () => number): Facts {
  const below = (count: number): number => Math.floor(count * random());
  const hex = (digits: number): string =>
    below(16 ** digits)
      .toString(16)
      .padStart(digits, '0');
  return {
    tenant: below(5) === 0 ? null : `tenant "${hex(below(8))}\\`,
    s: below(10 ** below(8)),
    g: below(10 ** below(8)),
    e: below(2) === 0 ? 'r' : 'w',
    n: below(10 ** below(15)),
    p: below(9),
    id: `${hex(8)}-${hex(4)}-7${hex(3)}-8${hex(3)}-${hex(12)}`,
    t: below(3) === 0 ? below(10 ** below(15)) : 1_760_000_000_000 + below(1e9),
  };
}

describe('the head of a line', () => {
  it('is read as a parser reads it, of an intent', () => {
    const random = seeded(1);
    for (let round = 0; round < 2000; round++) {
      const facts = randomFacts(random);
      const bytes = bytesOf('intent', facts);
      const head = new LineHead();
      expect(head.request(bytes, TENANT_AT.intent)).toBe(true);
      const { s, g, t, isWrite, idMs, tenantFrom, tenantTo, idFrom } = head;
      expect({ s, g, t, isWrite, idMs }).toEqual({
        s: facts.s,
        g: facts.g,
        t: facts.t,
        isWrite: facts.e === 'w',
        idMs: idMsOf(facts.id),
      });
      expect(bytes.toString('latin1', tenantFrom, tenantTo)).toBe(JSON.stringify(facts.tenant));
      expect(bytes.toString('latin1', idFrom, idFrom + facts.id.length)).toBe(facts.id);
    }
  });

  it('is read as a parser reads it, of a completion', () => {
    const random = seeded(2);
    const head = new LineHead();
    for (let round = 0; round < 500; round++) {
      const { tenant, n, id } = randomFacts(random);
      const bytes = bytesOf('done', { tenant, n, id });
      expect(head.end(bytes, TENANT_AT.done)).toBe(true);
      expect(head.idMs).toBe(idMsOf(id));
      expect(bytes.toString('latin1', head.to)).toBe(',"method":"GET"}');
    }
  });

  it('is said not to be there when the bytes end within it', () => {
    const bytes = bytesOf('intent', randomFacts(seeded(3)));
    const head = new LineHead();
    const whole = bytes.indexOf(',"method"') + 1;
    for (let length = 0; length < whole; length++)
      expect(head.request(bytes.subarray(0, length), TENANT_AT.intent)).toBe(false);
    expect(head.request(bytes.subarray(0, whole), TENANT_AT.intent)).toBe(true);
  });

  it('is not taken for a time when there is something else among its digits', () => {
    const facts = { ...randomFacts(seeded(4)), t: 1_760_000_000_000 };
    const text = bytesOf('intent', facts).toString('latin1');
    const from = text.indexOf('1760000000000');
    for (let at = 1; at < 13; at++) {
      for (const odd of ['/', ':', 'a', 'p', ' ', '\u00b0', '\u00fa', '\u00ff']) {
        const bytes = Buffer.from(text.slice(0, from + at) + odd + text.slice(from + at + 1), 'latin1');
        expect(new LineHead().request(bytes, TENANT_AT.intent)).toBe(false);
      }
    }
  });
});
