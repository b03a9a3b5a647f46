// A fault of a guard, or of whoever asks it, withholds the answer; what it says itself is never lost.
import { describe, expect, it } from 'vitest';
import type { Log } from '#model/log.ts';
import type { GuardVerdict, ResponseFacts } from '#policy/compiled-policy.ts';
import type { Exchange } from '#gateway/exchange.ts';
import { denialOfGuard, judgeAnswer, recordGuards } from '#gateway/response-guards.ts';

const ANSWER: ResponseFacts = { status: 200, fields: [], contentLength: -1 };
const RULE = { id: 'g', category: 'export', message: null };
const OPEN: GuardVerdict = {
  denial: null,
  maxBodyBytes: 10,
  sizeGuard: RULE,
  shadowRules: [],
  shadowSizes: [],
};

/** As much of an exchange as these functions look at. */
function exchange(facts: object): Exchange {
  return {
    requestId: 'r',
    guardVerdict: null,
    rule: null,
    shadowGuards: [],
    bytesOut: 0,
    endedBy: 'upstream',
    ...facts,
  } as unknown as Exchange;
}

function logInto(lines: unknown[]): Log {
  return { error: (fields: unknown) => lines.push(fields) } as unknown as Log;
}

describe('asking the guards', () => {
  it('withholds the answer as our fault where one of them fails, and says so in the log', () => {
    const lines: unknown[] = [];
    const policy = {
      judgeResponse() {
        throw new Error('broken');
      },
    };
    const verdict = judgeAnswer(exchange({ policy }), ANSWER, logInto(lines));
    expect(verdict.denial).toMatchObject({ reason: 'internal' });
    expect(verdict.maxBodyBytes).toBe(0);
    expect(lines).toEqual([{ requestId: 'r', err: expect.any(Error) }]);
  });

  it('withholds the answer where there is no policy', () => {
    expect(judgeAnswer(exchange({ policy: null }), ANSWER, logInto([])).denial).not.toBeNull();
  });
});

describe('the denial of a guard', () => {
  it('is that of the head, that of the size, or our fault where nobody was asked', () => {
    const denial = { reason: 'response_guarded', rule: RULE, note: 'n' } as const;
    expect(denialOfGuard(exchange({ guardVerdict: { ...OPEN, denial } }))).toBe(denial);
    expect(denialOfGuard(exchange({ guardVerdict: OPEN }))).toMatchObject({
      reason: 'response_guarded',
      rule: RULE,
    });
    expect(denialOfGuard(exchange({}))).toMatchObject({ reason: 'internal' });
  });
});

describe('the record of an answer that was begun', () => {
  it('names the guard of size only where that ended it', () => {
    const cut = exchange({ endedBy: 'guard' });
    recordGuards(cut, OPEN);
    expect(cut.rule).toBe(RULE);
    const whole = exchange({});
    recordGuards(whole, OPEN);
    expect(whole.rule).toBeNull();
  });

  it('names each guard in shadow mode that would have cut it', () => {
    const [small, large] = [
      { rule: { ...RULE, id: 'small' }, maxBytes: 9 },
      { rule: { ...RULE, id: 'large' }, maxBytes: 10 },
    ];
    const x = exchange({ bytesOut: 10, shadowGuards: [RULE] });
    recordGuards(x, { ...OPEN, shadowSizes: [small, large] });
    expect(x.shadowGuards.map(({ id }) => id)).toEqual(['g', 'small']);
  });
});
