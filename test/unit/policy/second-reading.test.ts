// P3: what an opted-in route lets through is read in every way an upstream may read it (classes 3 and 4).
import { describe, expect, it } from 'vitest';
import { secondReadings } from '#policy/second-reading.ts';
import { facts, policyFrom, rulesText } from '../../support/policy-sets.ts';

function paths(path: string): readonly string[] | null {
  return secondReadings(path)?.map(({ segments, query }) => `/${segments.join('/')}?${query}`) ?? null;
}

describe('the further readings of a path', () => {
  it('are none where nothing is encoded twice or hides a separator', () => {
    expect(paths('/a/b%20c')).toEqual([]);
    expect(paths('/100%25')).toEqual([]);
  });

  it('take encoded separators as structure', () => {
    expect(paths('/a%2Fb')).toEqual(['/a/b?']);
    expect(paths('/a%5Cb/c')).toEqual(['/a/b/c?', '/a\\b/c?']);
    expect(paths('/a%3Fb%26c/d')?.[0]).toBe('/a?b&c/d');
    expect(paths('/a%23b/c')?.[0]).toBe('/a?');
    expect(paths('/%2F%2Fa')).toEqual(['/a?']);
  });

  it('undo each further layer of encoding, with its separators as they stand and as structure', () => {
    expect(paths('/%2565xports')).toEqual(['/exports?']);
    expect(paths('/%252565')).toEqual(['/%65?', '/e?']);
    expect(paths('/a%252Fb')).toEqual(['/a/b?', '/a/b?']);
    expect(secondReadings('/a%252Fb')?.map(({ segments }) => segments.length)).toEqual([1, 2]);
  });

  it('refuse dot segments, control characters, bytes that are no UTF-8 and hidden structure', () => {
    for (const path of [
      '/a%2F..%2Fb',
      '/a%5C..%5Cb',
      '/a%2F..;x%2Fb',
      '/%252E%252E/a',
      '/a%252F%252E%252E%252Fb',
      '/a%2500',
      '/a%250Ab',
      '/a%25C1%25A5',
      '/a%25FF',
      '/a%25EF%25BC%258Fb',
      '/%25252525252561',
    ]) {
      expect(paths(path), path).toBeNull();
    }
  });

  it('stay few and quick for a path made of nothing else', () => {
    expect(paths(`/${'%2F'.repeat(2700)}`)).toEqual(['/?']);
    expect(paths(`/${'%25'.repeat(2700)}41`)).toHaveLength(1);
    expect(paths(`/${'%2525252525'.repeat(700)}41`)).toBeNull();
  });
});

describe('a rule on an opted-in route', () => {
  const policy = policyFrom(rulesText([{ id: 'r', match: '{ paths: ["/files/*/exports"] }' }]));

  it.each([
    ['a question mark that is a letter of a name', '/files/a%3Fb%2Fexports'],
    ['a hash that is a letter of a name', '/files/a%23b%2Fexports'],
    ['a backslash that is a letter of a name', '/files/a%5Cb%2Fexports'],
    ['parameters that go before anything is decoded', '/files/a%2Fexports;%2Fb'],
  ])('denies the reading of an application with %s', (_, path) => {
    const asked = facts(path, { encodedSlash: true });
    expect(policy.evaluate(asked, { shadowRules: [], wantsBody: false })).toMatchObject({
      rule: { id: 'r' },
    });
  });

  it('refuses a way up that only shows once invisible characters are gone', () => {
    const asked = facts('/files/a%2F..%C2%AD%2Fb', { encodedSlash: true });
    expect(policy.evaluate(asked, { shadowRules: [], wantsBody: false })).toMatchObject({
      reason: 'bad_request_target',
    });
  });
});

describe('explain', () => {
  it('shows every reading that was tried', () => {
    const policy = policyFrom(rulesText([{ id: 'r', match: '{ paths: ["/exports/**"] }' }]));
    const told = policy.explain(facts('/EXPORTS;x.json/%252F1', { encodedPercent: true }));
    expect(told.readings).toEqual([
      '/exports;x.json/%2f1',
      '/exports/%2f1',
      '/exports;x.json//1',
      '/exports//1',
      '/exports;x.json/1',
      '/exports/1',
    ]);
    expect(told.verdict).toMatchObject({ rule: { id: 'r' } });
  });

  it('says in a sentence why each rule did or did not match', () => {
    const policy = policyFrom(
      rulesText([
        { id: 'm', match: '{ methods: [POST, PUT], paths: ["/a", "/b"] }' },
        { id: 'q', match: '{ paths: ["/a"], query: { f: [csv, xlsx], g: "*" } }' },
        { id: 'l', match: '{ paths: ["/{x}"] }', more: ', liftable: true' },
        { id: 'n', match: '{ paths: ["/n"] }', more: ', mode: shadow' },
      ]),
    );
    const because = (query: string, method = 'GET') =>
      policy.explain(facts('/a', { query, method, lifts: ['export'] })).considered.map((one) => one.because);
    expect(because('f=csv')).toEqual([
      'path /a matched, method GET is not one of POST, PUT',
      'path /a matched, query does not hold f=csv|xlsx and g',
      'path /{x} matched, lifted by the grant (category export)',
      'no path of the rule matched',
    ]);
    expect(because('f=csv&g', 'PUT').slice(0, 2)).toEqual([
      'path /a matched, method is one of POST, PUT',
      'path /a matched, query holds f=csv|xlsx and g',
    ]);
    expect(because('f=%zz&g')[1]).toBe('path /a matched, the query has to be read and is malformed');
  });
});

function digest(rules: Parameters<typeof rulesText>[0], around = ''): string {
  return policyFrom(`${around}${rulesText(rules)}`).digest;
}

describe('the digest', () => {
  it('is the same for the same set, whatever its comments, its layout and the order within a match', () => {
    const one = digest([
      { id: 'r', match: '{ methods: [GET, PUT], paths: ["/a", "/b"], query: { a: [x, y] } }' },
    ]);
    expect(one).toMatch(/^sha256:[0-9a-f]{64}$/);
    const two = [{ id: 'r', match: '{ query: { a: [y, x] }, paths: ["/b", "/a"], methods: [PUT, GET] }' }];
    expect(digest(two, '# a comment\n')).toBe(one);
  });

  it('differs when anything about a rule does', () => {
    const variants = [
      [{ id: 'r', match: '{ paths: ["/a"] }' }],
      [{ id: 's', match: '{ paths: ["/a"] }' }],
      [{ id: 'r', match: '{ paths: ["/b"] }' }],
      [{ id: 'r', match: '{ methods: [GET], paths: ["/a"] }' }],
      [{ id: 'r', match: '{ paths: ["/a"], query: { a: [x] } }' }],
      [{ id: 'r', match: '{ paths: ["/a"], query: { a: "*" } }' }],
      [{ id: 'r', match: '{ paths: ["/a"] }', more: ', mode: shadow' }],
      [{ id: 'r', match: '{ paths: ["/a"] }', more: ', liftable: true' }],
      [{ id: 'r', match: '{ paths: ["/a"] }', more: ', message: m' }],
      [
        { id: 'r', match: '{ paths: ["/a"] }' },
        { id: 's', match: '{ paths: ["/a"] }' },
      ],
      [
        { id: 's', match: '{ paths: ["/a"] }' },
        { id: 'r', match: '{ paths: ["/a"] }' },
      ],
    ];
    expect(new Set(variants.map((rules) => digest(rules))).size).toBe(variants.length);
  });
});
