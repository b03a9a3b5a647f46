// Rails' `(.:format)` and Django REST's `format_suffix_patterns` make a parameter of what they take off a path, so that
// `/reports.csv` is `/reports?format=csv` to them: a rule on the one has to deny the other.
import { describe, expect, it } from 'vitest';
import type { CompiledPolicy } from '#policy/compiled-policy.ts';
import { decide as decideOn, policyFrom, rulesText } from '../../support/policy-sets.ts';

const policy = policyFrom(
  rulesText([{ id: 'r', match: '{ paths: ["/reports", "/v/{id}/x"], query: { format: [csv, xlsx] } }' }]),
);

function decide(on: CompiledPolicy, target: string): string {
  const [path = '', query = ''] = target.split('?');
  return decideOn(on, path, { query });
}

describe('a format suffix', () => {
  it.each([
    '/reports.csv',
    '/reports.XLSX',
    '/reports.%63sv',
    '/reports.csv/',
    '/reports.csv;v=1',
    '/reports.csv%20',
    '/reports.csv?format=pdf',
    '/reports.pdf?format=csv',
    '/v/7/x.csv',
  ])('is what the rule reads as the format: %s is denied', (target) => {
    expect(decide(policy, target)).toBe('r');
  });

  it.each(['/reports', '/reports.pdf', '/reports.pdf?a=csv', '/other.csv', '/v/7.csv/x', '/reports.csvx'])(
    'of another kind or on another path is nothing of it: %s passes',
    (target) => {
      expect(decide(policy, target)).toBe('allow');
    },
  );

  it('of one request is not remembered for the next', () => {
    expect(decide(policy, '/reports.csv')).toBe('r');
    expect(decide(policy, '/reports')).toBe('allow');
    expect(decide(policy, '/reports?a=b')).toBe('allow');
  });

  it('counts for no other name', () => {
    const other = policyFrom(
      rulesText([{ id: 'r', match: '{ paths: ["/reports"], query: { type: [csv] } }' }]),
    );
    expect(decide(other, '/reports.csv')).toBe('allow');
  });
});
