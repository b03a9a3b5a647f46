import { describe, expect, it } from 'vitest';
import { PASS } from '#model/verdict.ts';
import type { ShadowSink } from '#policy/compiled-policy.ts';
import { decide, denyPaths, facts, policyFrom, rulesText, verdictOf } from '../../support/policy-sets.ts';

describe('deny wins', () => {
  const policy = policyFrom(
    rulesText([
      { id: 'late-in-the-trie', match: '{ paths: ["/**/z"] }' },
      { id: 'early', match: '{ paths: ["/a/z"] }' },
      { id: 'other', match: '{ methods: [POST], paths: ["/a/b"] }' },
    ]),
  );

  it('reports the first rule in document order, wherever the trie finds it', () => {
    expect(decide(policy, '/a/z')).toBe('late-in-the-trie');
  });

  it('says PASS for what no rule names', () => {
    expect(verdictOf(policy, facts('/a/b'))).toBe(PASS);
  });

  it('carries the rule with category and message, always the same value', () => {
    const one = policyFrom(rulesText([{ id: 'r', match: '{ paths: ["/a"] }', more: ', message: "No."' }]));
    const verdict = verdictOf(one, facts('/a'));
    expect(verdict).toEqual({
      reason: 'rule_denied',
      rule: { id: 'r', category: 'export', message: 'No.' },
      note: null,
    });
    expect(verdictOf(one, facts('/a'))).toBe(verdict);
  });
});

describe('methods', () => {
  const policy = policyFrom(
    rulesText([
      { id: 'get', match: '{ methods: [GET], paths: ["/get"] }' },
      { id: 'delete', match: '{ methods: [DELETE, PROPFIND], paths: ["/delete"] }' },
      { id: 'head', match: '{ methods: [HEAD], paths: ["/head"] }' },
    ]),
  );

  it('lets GET cover HEAD and QUERY, but not HEAD cover GET', () => {
    for (const method of ['GET', 'HEAD', 'QUERY'])
      expect(decide(policy, '/get', { method }), method).toBe('get');
    expect(decide(policy, '/get', { method: 'POST' })).toBe('allow');
    expect(decide(policy, '/head', { method: 'HEAD' })).toBe('head');
    expect(decide(policy, '/head')).toBe('allow');
  });

  it('knows methods that have no name of their own here', () => {
    expect(decide(policy, '/delete', { method: 'PROPFIND' })).toBe('delete');
    expect(decide(policy, '/delete', { method: 'REPORT' })).toBe('allow');
  });

  it('counts `_method` of the query and of a held form besides the real one', () => {
    expect(decide(policy, '/delete', { method: 'POST', query: 'a=1&_method=delete' })).toBe('delete');
    expect(decide(policy, '/delete', { query: 'x[_method]=+DELETE' })).toBe('delete');
    expect(decide(policy, '/delete', { method: 'DELETE', query: '_method=GET' })).toBe('delete');
    expect(decide(policy, '/delete', { method: 'POST', formMethods: ['delete'] })).toBe('delete');
    expect(decide(policy, '/delete', { method: 'POST', formMethods: ['GET'] })).toBe('allow');
    expect(decide(policy, '/get', { method: 'POST', query: '_method=HEAD' })).toBe('get');
  });

  it('refuses a `_method` that it cannot read, where a rule asks for it', () => {
    expect(decide(policy, '/delete', { method: 'POST', query: '_method=%zz' })).toBe('bad_request_target');
    expect(decide(policy, '/delete', { method: 'POST', query: '_method%00=DELETE' })).toBe(
      'bad_request_target',
    );
    expect(decide(policy, '/delete', { method: 'POST', query: 'caf%E9=1' })).toBe('allow');
    expect(decide(policy, '/elsewhere', { method: 'POST', query: '_method=%zz' })).toBe('allow');
  });

  it('asks for the form of a POST only where a rule names PUT, PATCH or DELETE', () => {
    const form = { method: 'POST', contentType: 'application/x-www-form-urlencoded' };
    expect(decide(policy, '/Delete/', form)).toBe('needs_body');
    expect(decide(policy, '/delete', { method: 'POST' })).toBe('allow');
    expect(decide(policy, '/delete', { ...form, contentType: 'application/json' })).toBe('allow');
    expect(decide(policy, '/delete', { ...form, contentType: '' })).toBe('needs_body');
    expect(decide(policy, '/get', form)).toBe('allow');
  });

  it('asks for the form on a further reading of the path too', () => {
    const form = { method: 'POST', contentType: 'multipart/form-data; boundary=x' };
    expect(decide(policy, '/%2564elete', { ...form, encodedPercent: true })).toBe('needs_body');
    expect(decide(policy, '/%2564elete', form)).toBe('allow');
  });
});

describe('lifts', () => {
  const policy = policyFrom(
    rulesText([
      { id: 'liftable', match: '{ paths: ["/a", "/b"] }', more: ', liftable: true' },
      { id: 'fixed', match: '{ methods: [DELETE], paths: ["/b"] }' },
    ]),
  );

  it('open a liftable rule for a grant that lifts its category', () => {
    expect(decide(policy, '/a')).toBe('liftable');
    expect(decide(policy, '/a', { lifts: ['export'] })).toBe('allow');
    expect(decide(policy, '/a', { lifts: ['email'] })).toBe('liftable');
    expect(decide(policy, '/a', { grant: null })).toBe('liftable');
  });

  it('open no other rule of the category', () => {
    expect(decide(policy, '/b', { method: 'DELETE', lifts: ['export'] })).toBe('fixed');
    expect(decide(policy, '/b', { lifts: ['export'] })).toBe('allow');
  });
});

describe('shadow mode', () => {
  const policy = policyFrom(
    rulesText([
      { id: 's2', match: '{ paths: ["/**"] }', more: ', mode: shadow' },
      { id: 's1', match: '{ paths: ["/a", "/{x}"] }', more: ', mode: shadow' },
      { id: 'r', match: '{ paths: ["/a/b"] }' },
      { id: 's3', match: '{ paths: ["/q"], query: { a: ["1"] } }', more: ', mode: shadow' },
    ]),
  );

  it('stops nothing and names what would have denied, each once, in order', () => {
    const sink: ShadowSink = { shadowRules: [], wantsBody: false };
    expect(policy.evaluate(facts('/a'), sink)).toBe(PASS);
    expect(sink.shadowRules.map(({ id }) => id)).toEqual(['s2', 's1']);
  });

  it('names them beside an enforced denial, and forgets the request before', () => {
    const sink: ShadowSink = { shadowRules: [], wantsBody: false };
    policy.evaluate(facts('/a'), sink);
    expect(policy.evaluate(facts('/a/b'), sink)).not.toBe(PASS);
    expect(sink.shadowRules.map(({ id }) => id)).toEqual(['s2']);
  });

  it('refuses nothing over a query that only a shadow rule has to read', () => {
    expect(decide(policy, '/q', { query: 'a=%zz' })).toBe('allow');
  });
});

describe('what a rule has to read and cannot', () => {
  it('is refused, unless a rule denies the request anyway, whichever stands first', () => {
    const query = { id: 'q', match: '{ paths: ["/a"], query: { f: [x] } }' };
    const path = { id: 'p', match: '{ paths: ["/a"] }' };
    const asked = { query: 'f=%zz' };
    expect(decide(policyFrom(rulesText([query])), '/a', asked)).toBe('bad_request_target');
    expect(decide(policyFrom(rulesText([query, path])), '/a', asked)).toBe('p');
    expect(decide(policyFrom(rulesText([path, query])), '/a', asked)).toBe('p');
  });

  it('matters only while the other keys may hold', () => {
    const policy = policyFrom(
      rulesText([{ id: 'q', match: '{ paths: ["/a"], query: { f: [x], g: [y] } }' }]),
    );
    expect(decide(policy, '/a', { query: 'f=%zz&g=n' })).toBe('allow');
    expect(decide(policy, '/a', { query: 'f=%zz&g=y' })).toBe('bad_request_target');
    expect(decide(policy, '/a', { query: 'f=%zz&f=x&g=y' })).toBe('q');
  });

  it('is a path that is not canonical', () => {
    expect(decide(denyPaths('/a'), '/%C1%A5')).toBe('bad_request_target');
  });
});
