// An allow-list passes what it names and nothing besides: no other spelling, no method in disguise, no lifted denial.
import { describe, expect, it } from 'vitest';
import { bodyOf } from '#policy/read-body.ts';
import { allowList, narrowText } from '../../support/narrow-sets.ts';
import { decide, facts, policyFrom, rulesText } from '../../support/policy-sets.ts';

const FORM = 'application/x-www-form-urlencoded';
const DENIED = 'policy.default-deny';

describe('an allow-list', () => {
  const policy = allowList(
    '{ id: tickets.read, methods: [GET, POST], paths: ["/api/v1/tickets/**"] }',
    '{ id: tickets.again, paths: ["/api/**"], upgrade: websocket }',
    '{ id: any.method, paths: ["/open/{id}"] }',
    '{ id: any.method.again, methods: [GET], paths: ["/open/**"] }',
  );

  it('passes what an allowance covers, GET for HEAD, and denies the rest by default', () => {
    expect(decide(policy, '/api/v1/tickets')).toBe('allow');
    expect(decide(policy, '/api/v1/tickets/7', { method: 'HEAD' })).toBe('allow');
    expect(decide(policy, '/open/7', { method: 'PURGE' })).toBe('allow');
    for (const path of ['/', '/api/v1/ticketsx', '/API/v1/tickets/7', '/api/v1/users', '/open']) {
      expect(decide(policy, path, { method: 'POST' }), path).toBe(DENIED);
    }
    for (const method of ['PUT', 'DELETE', 'QUERY', 'OPTIONS']) {
      expect(decide(policy, '/api/v1/tickets/7', { method }), method).toBe(DENIED);
    }
  });

  it('tells which one, the first in document order', () => {
    expect(policy.explain(facts('/open/7')).allowance).toBe('any.method');
    expect(policy.explain(facts('/open/7/8')).allowance).toBe('any.method.again');
    expect(policy.explain(facts('/none')).allowance).toBeNull();
    const reversed = allowList('{ id: wide, paths: ["/**"] }', '{ id: exact, paths: ["/open/7"] }');
    expect(reversed.explain(facts('/open/7')).allowance).toBe('wide');
    const exact = allowList('{ id: exact, paths: ["/open/7"] }', '{ id: wide, paths: ["/**"] }');
    expect(exact.explain(facts('/open/7')).allowance).toBe('exact');
  });

  it('passes an upgrade only where one is named', () => {
    expect(decide(policy, '/api/x', { isUpgrade: true })).toBe('allow');
    expect(decide(policy, '/api/x')).toBe(DENIED);
    expect(decide(policy, '/open/7', { isUpgrade: true })).toBe(DENIED);
  });

  it('asks that claimed methods are listed too, safe ones included', () => {
    const post = (query: string) => decide(policy, '/api/v1/tickets/7', { method: 'POST', query });
    expect(post('_method=get')).toBe('allow');
    expect(post('_method=DELETE')).toBe(DENIED);
    expect(post('_method=OPTIONS')).toBe(DENIED);
    expect(decide(policy, '/open/7', { method: 'POST', query: '_method=DELETE' })).toBe('allow');
  });

  it('reads a form for the method it claims, unless every method that matters is listed', () => {
    const path = '/api/v1/tickets/7';
    const form = { method: 'POST', contentType: FORM };
    expect(decide(policy, path, form)).toBe('needs_body');
    expect(decide(policy, path, { ...form, body: bodyOf('a=1', FORM) })).toBe('allow');
    expect(decide(policy, path, { ...form, body: bodyOf('_method=DELETE', FORM) })).toBe(DENIED);
    expect(decide(policy, '/open/7', form)).toBe('allow');
    const multipart = { method: 'POST', contentType: 'multipart/form-data; boundary=x' };
    expect(decide(policy, path, multipart)).toBe('needs_body');
    const unread = bodyOf('--x', multipart.contentType);
    expect(decide(policy, path, { ...multipart, body: unread })).toBe(DENIED);
    const whole = allowList('{ id: a, methods: [POST, PUT, PATCH, DELETE], paths: ["/a"] }');
    expect(decide(whole, '/a', multipart)).toBe('allow');
    expect(decide(whole, '/a', { ...multipart, body: unread })).toBe('allow');
    const some = allowList('{ id: a, methods: [POST, PUT], paths: ["/a"] }');
    expect(decide(some, '/a', form)).toBe('needs_body');
    expect(decide(whole, '/a', { ...form, body: bodyOf('_method=PURGE', FORM) })).toBe(DENIED);
  });

  it('reads no JSON for it, but believes the JSON that was read', () => {
    const path = '/api/v1/tickets/7';
    const json = { method: 'POST', contentType: 'application/json' };
    expect(decide(policy, path, json)).toBe('allow');
    const claimed = bodyOf('{"_method":"DELETE"}', 'application/json');
    expect(decide(policy, path, { ...json, body: claimed })).toBe(DENIED);
  });

  it('covers no path of which some reading is unsafe', () => {
    const files = allowList('{ id: files, paths: ["/files/**"] }');
    const asked = { encodedSlash: true };
    expect(files.explain(facts('/files/a%2Fb', asked)).allowance).toBe('files');
    expect(files.explain(facts('/files/a%2F..%2F..%2Fb', asked)).allowance).toBeNull();
  });

  it('reads the body of a graphql route', () => {
    const type = 'application/json';
    const graphql = allowList(
      '{ id: g, methods: [GET, POST], paths: ["/graphql"], graphql: { type: query } }',
    );
    const posted = (query: string) => bodyOf(JSON.stringify({ query }), type);
    const asked = { method: 'POST', contentType: type };
    expect(decide(graphql, '/graphql', asked)).toBe('needs_body');
    expect(decide(graphql, '/graphql', { ...asked, body: posted('{ a }') })).toBe('allow');
    expect(decide(graphql, '/graphql', { ...asked, body: posted('mutation { a }') })).toBe(DENIED);
    expect(decide(graphql, '/graphql', { query: `query=${encodeURIComponent('{ a }')}` })).toBe('allow');
    expect(decide(graphql, '/graphql', { query: `query=${encodeURIComponent('mutation { a }')}` })).toBe(
      DENIED,
    );
    expect(decide(graphql, '/graphql')).toBe(DENIED);
  });

  it('asks for no body where another allowance needs none', () => {
    const both = allowList('{ id: form, methods: [POST], paths: ["/a"] }', '{ id: open, paths: ["/a"] }');
    expect(decide(both, '/a', { method: 'POST', contentType: FORM })).toBe('allow');
  });

  it('denies everything when it is empty', () => {
    expect(decide(policyFrom(rulesText([{ id: 'r', match: '{ paths: ["/a"] }' }]), 'deny'), '/b')).toBe(
      DENIED,
    );
  });

  it('opens nothing that a deny rule shuts', () => {
    const rules = rulesText([{ id: 'r', match: '{ paths: ["/a/exports"] }' }]);
    const allowed = narrowText('RouteAllowance', ['{ id: all, paths: ["/**"] }']);
    const mixed = policyFrom(`${rules}---\n${allowed}`, 'deny');
    expect(decide(mixed, '/a/exports')).toBe('r');
    expect(decide(mixed, '/a/other')).toBe('allow');
  });
});
