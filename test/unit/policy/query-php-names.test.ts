// PHP makes `_` of dots, spaces and unclosed brackets in the names of a query and a form, so `.method=DELETE` is a
// `_method` to every framework on it, and `export.format=csv` an `export_format`: both have to be read as such.
import { describe, expect, it } from 'vitest';
import { looseValues } from '#gateway/loose-pairs.ts';
import { foldedNamesOf, QueryView } from '#policy/query.ts';
import { PASS } from '#model/verdict.ts';
import { PLAIN_GRANT } from '#policy/policy-test.ts';
import { bodyOf } from '#policy/read-body.ts';
import { decide, facts, policyFrom, rulesText } from '../../support/policy-sets.ts';

function valuesOf(query: string, name: string): readonly string[] {
  const view = new QueryView([name]);
  view.reset(query);
  return [...view.valuesOf(name)];
}

describe('names as PHP reads them', () => {
  it.each([
    ['export.format=csv', 'export_format'],
    ['export+format=csv', 'export_format'],
    ['export%20format=csv', 'export_format'],
    ['export[format=csv', 'export_format'],
    ['export.format[]=csv', 'export_format'],
    ['export.format[x]=csv', 'export_format'],
    ['.method=csv', '_method'],
    ['%2Emethod=csv', '_method'],
    ['[method=csv', '_method'],
  ])('%s names %s', (query, name) => {
    expect(valuesOf(query, name)).toEqual(['csv']);
  });

  it('are read besides the names as they stand', () => {
    expect(valuesOf('a.b=1', 'a.b')).toEqual(['1']);
    expect(foldedNamesOf('a.b')).toEqual(['a.b', 'a_b']);
    expect(foldedNamesOf('a[b.c]')).toEqual(['a[b.c]', 'b.c']);
    expect(foldedNamesOf('plain')).toEqual(['plain']);
  });

  it('claim a method that a rule names', () => {
    const policy = policyFrom(rulesText([{ id: 'r', match: '{ paths: ["/x"], methods: [DELETE] }' }]));
    expect(decide(policy, '/x', { method: 'POST', query: '.method=DELETE' })).toBe('r');
    expect(decide(policy, '/x', { method: 'POST', query: 'a.method=DELETE' })).toBe('allow');
  });

  it('claim a method that a read grant refuses', () => {
    const policy = policyFrom(rulesText([{ id: 'r', match: '{ paths: ["/x"] }' }]));
    const grant = { ...PLAIN_GRANT, access: 'read' } as const;
    const access = (query: string) => policy.access(facts('/y', { grant, query }));
    expect(access('.method=DELETE')).toMatchObject({ reason: 'read_only' });
    expect(access('%zz.method=DELETE')).toMatchObject({ reason: 'read_only' });
    expect(access('.method=HEAD&a=b')).toBe(PASS);
  });

  it('claim a method in a JSON object that was read', () => {
    const policy = policyFrom(
      rulesText([
        { id: 'd', match: '{ paths: ["/x"], methods: [DELETE] }' },
        { id: 'j', match: '{ paths: ["/x"], json: { "/never": "*" } }' },
      ]),
    );
    const asked = { method: 'POST', contentType: 'application/json' };
    const body = bodyOf('{"_Method":"delete"}', 'application/json');
    expect(decide(policy, '/x', { ...asked, body })).toBe('d');
    expect(decide(policy, '/x', { ...asked, body: bodyOf('{"a":1}', 'application/json') })).toBe('allow');
  });

  it('hide no credential from the gate itself', () => {
    expect(looseValues('access.token=a&access+token=b&access[token=c', 'access_token')).toEqual([
      'a',
      'b',
      'c',
    ]);
  });
});
