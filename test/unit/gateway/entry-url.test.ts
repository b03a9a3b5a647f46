import { describe, expect, it } from 'vitest';
import type { Config } from '#config/config.ts';
import type { TenantId } from '#model/ids.ts';
import { entryUrlSource } from '../../../src/compose-entry.ts';

const ACME = 'acme' as TenantId;
const BY_HOST = (suffix: string, port: string | null = null) => ({ from: 'host', prefix: '', suffix, port });

function urlFor(
  tenancy: object,
  { hosts = [] as string[], tls = null as object | null } = {},
): string | null {
  const data = { address: { kind: 'tcp', host: '0.0.0.0', port: 8443 }, tls };
  const config = { tenancy, traffic: { hosts }, listen: { data } } as unknown as Config;
  return entryUrlSource(config)(ACME);
}

describe('the address of a launch link', () => {
  it.each([
    ['a host of the tenant’s own', BY_HOST('.app.example.com'), {}, 'https://acme.app.example.com'],
    ['with the port of the pattern', BY_HOST('.app.test', '444'), {}, 'https://acme.app.test:444'],
    ['a name of this machine', BY_HOST('.localhost'), {}, 'http://acme.localhost:8443'],
    ['the same behind TLS of our own', BY_HOST('.localhost'), { tls: {} }, 'https://acme.localhost:8443'],
    ['the first host served, by path', { from: 'path' }, { hosts: ['a.test', 'b.test'] }, 'https://a.test'],
  ])('is %s', (_what, tenancy, more, origin) => {
    expect(urlFor(tenancy, more)).toBe(`${origin}/-/postern/enter`);
  });

  it('is none where no host is known', () => {
    expect(urlFor({ from: 'header' })).toBeNull();
  });
});
