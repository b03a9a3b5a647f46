// The judges of policies and of what is written into logs see what is wrong: rows that say the opposite of what happens fail.
import { describe, expect, it } from 'vitest';
import { judgeLog } from './log/judge-log.ts';
import { judgePolicies } from './policies/judge-policies.ts';

const ROW = { class: 24, about: 'a test', source: 'a test' };
const RULE = '{ id: r, category: c, match: [{ paths: ["/b"] }] }';

describe('the judge of policies', () => {
  it.each([
    ['a file that is loaded', { rules: [RULE], expect: { refused: 'twice' } }, /it was loaded/],
    ['a refusal', { text: 'a: [', expect: { adds: 0 } }, /^refused: /],
    ['another reason', { text: 'a: [', expect: { refused: 'an alias' } }, /^told /],
    ['more rules than said', { rules: [RULE], expect: { adds: 0 } }, /2 rules instead of 1/],
    ['a path that is open', { rules: [RULE], expect: { adds: 1, denied: ['/c'] } }, /\/c is open/],
    ['a path that is denied', { rules: [RULE], expect: { adds: 1, open: ['/b'] } }, /\/b is r/],
  ])('tells of %s', async (_what, row, failure) => {
    const [judged] = await judgePolicies([{ ...ROW, id: 'T1', ...row }]);
    expect(judged?.failures.join('\n')).toMatch(failure);
  });

  it('refuses a row that says nothing', async () => {
    await expect(judgePolicies([{ ...ROW, id: 'T1' }])).rejects.toThrow('T1 says too little');
  });
});

describe('the judge of logs', () => {
  it('tells of another outcome, another value, and what stands in it', async () => {
    const rows = [
      { ...ROW, id: 'T1', headers: 'User-Agent: x', expect: 'bad_header' },
      { ...ROW, id: 'T2', headers: 'User-Agent: x', expect: 'intent', says: { 'http.userAgent': 'y' } },
      { ...ROW, id: 'T3', target: '/ok/hunter2', expect: 'intent', never: ['hunter2'] },
    ];
    const failures = (await judgeLog(rows)).map((one) => one.failures.join('\n'));
    expect(failures).toEqual(['recorded as intent', 'http.userAgent is "x"', '"hunter2" is in it']);
  });
});
