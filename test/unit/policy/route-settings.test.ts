// Whatever allows or exempts matches the narrowest reading: the exact bytes of the canonical path.
import { describe, expect, it } from 'vitest';
import { DEFAULT_SETTINGS } from '#policy/route-settings.ts';
import { policyFrom } from '../../support/policy-sets.ts';

function settings(name: string, spec: string): string {
  return `apiVersion: postern/v1\nkind: RouteSettings\nmetadata: { name: ${name} }\nspec: ${spec}\n---\n`;
}

function policyWith(...specs: readonly string[]) {
  return policyFrom(
    specs
      .map((spec, i) => settings(`s${i}`, spec))
      .join('')
      .replace(/---\n$/, ''),
  );
}

describe('settings of a route', () => {
  it('are one shared object where there are none', () => {
    const policy = policyWith('{ paths: ["/files/**"], allow: [encodedSlash] }');
    expect(policy.settingsFor('/other')).toBe(DEFAULT_SETTINGS);
    expect(
      policyFrom(
        'apiVersion: postern/v1\nkind: PolicyTest\nmetadata: { name: t }\nspec: { now: "2026-01-15T09:00:00Z", cases: [{ name: n, requests: [GET /], expect: allow }] }\n',
      ).settingsFor('/'),
    ).toBe(DEFAULT_SETTINGS);
  });

  it('match exact bytes: no case, no decoding, no parameters, no suffix, no slash', () => {
    const policy = policyWith('{ paths: ["/files/{id}/raw"], allow: [encodedSlash, getBody] }');
    expect(policy.settingsFor('/files/a%2Fb/raw')).toMatchObject({
      allowEncodedSlash: true,
      allowEncodedPercent: false,
      allowGetBody: true,
    });
    for (const path of [
      '/Files/a/raw',
      '/files/a/raw/',
      '/files/a/raw;x',
      '/files/a/raw.json',
      '/files/raw',
    ]) {
      expect(policy.settingsFor(path), path).toBe(DEFAULT_SETTINGS);
    }
  });

  it('carry limits in bytes and milliseconds and header names in lower case', () => {
    const spec =
      '{ paths: ["/up"], headers: [X_Trace.Id], maxBody: 2GiB, timeouts: { headers: 90s, idle: 5m } }';
    expect(policyWith(spec).settingsFor('/up')).toEqual({
      ...DEFAULT_SETTINGS,
      headers: ['x_trace.id'],
      maxBodyBytes: 2 * 1024 ** 3,
      headersTimeoutMs: 90_000,
      idleTimeoutMs: 300_000,
    });
  });

  it('add up where several match; of each limit the first one holds', () => {
    const policy = policyWith(
      '{ paths: ["/a/**"], allow: [getBody], headers: [x_a], maxBody: 1KiB }',
      '{ paths: ["/a/b", "/**"], allow: [encodedPercent], headers: [x_a, x_b], maxBody: 2KiB, timeouts: { idle: 1s } }',
    );
    expect(policy.settingsFor('/a/b')).toEqual({
      allowEncodedSlash: false,
      allowEncodedPercent: true,
      allowGetBody: true,
      headers: ['x_a', 'x_b'],
      maxBodyBytes: 1024,
      maxInspectedBytes: 1024 ** 2,
      headersTimeoutMs: null,
      idleTimeoutMs: 1000,
    });
  });
});
