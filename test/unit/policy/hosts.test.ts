// Hosts of a document: which requests its rules are about.
import { describe, expect, it } from 'vitest';
import { compileHosts, hostsCover } from '#policy/hosts.ts';
import { decide, policyFrom, problemLines } from '../../support/policy-sets.ts';

const document = (hosts: string) => `apiVersion: postern/v1
kind: RoutePolicy
metadata: { name: h }
spec:
  hosts: ${hosts}
  rules:
    - { id: r, category: export, match: [{ paths: ["/x"] }] }
`;

describe('the hosts of a document', () => {
  it.each([
    ['app.example.com', 'app.example.com', true],
    ['app.example.com', 'app.example.com.', true],
    ['app.example.com', 'www.example.com', false],
    ['*.example.com', 'a.example.com', true],
    ['*.example.com', 'a.b.example.com', true],
    ['*.example.com', 'example.com', false],
    ['*.example.com', 'aexample.com', false],
    ['*.example.com', '.example.com', false],
    ['[::1]', '[::1]', true],
  ])('%s covers %s: %s', (pattern, host, expected) => {
    expect(hostsCover(compileHosts([pattern]), host)).toBe(expected);
  });

  it('narrow its rules to requests for them', () => {
    const policy = policyFrom(document('["App.Example.com", "*.eu.example.com"]'));
    expect(decide(policy, '/x', { host: 'app.example.com' })).toBe('r');
    expect(decide(policy, '/x', { host: 'a.eu.example.com' })).toBe('r');
    expect(decide(policy, '/x', { host: 'other.example.com' })).toBe('allow');
  });

  it('are all of them without the key and with "*"', () => {
    expect(decide(policyFrom(document('["*"]')), '/x', { host: 'anything' })).toBe('r');
  });

  it.each([
    ['[]', '5:10 hosts must not be empty'],
    ['app.example.com', '5:10 hosts must be a list'],
    ['["app.example.com:8080"]', /5:11 hosts\[0\] must be a host name without a port/],
    ['["https://app"]', /5:11 hosts\[0\] must be a host name without a port/],
    ['["a.*.com"]', /5:11 hosts\[0\] must be a host name without a port/],
    ['["a", "A"]', '5:16 hosts[1] repeats an earlier item'],
    ['["*", "a"]', '5:10 "*" is every host, so "a" adds nothing'],
  ])('refuse %s', (hosts, message) => {
    expect(problemLines(document(hosts))).toEqual([
      typeof message === 'string' ? message : expect.stringMatching(message),
    ]);
  });
});
