// What claims become of a person, and what identity strings may not hold.
import { describe, expect, test } from 'vitest';
import type { Principal } from '#model/principal.ts';
import { readCustomer, readPrincipal } from '#authn/claims.ts';
import { checkCustomerIssuer, checkSupportIssuer, type SupportIssuerOptions } from '#authn/options.ts';
import { issuerOptions } from '../../support/authn-bench.ts';

const BASE = { sub: 'user-1', email: 'anna@vendor.example', name: 'Anna', groups: ['support', 'emea'] };

function read(claims: object, options: Partial<SupportIssuerOptions> = {}): Principal & { reason?: string } {
  return readPrincipal(checkSupportIssuer(issuerOptions(options)), { ...BASE, ...claims }) as Principal;
}

describe('subject', () => {
  test.each([
    ['is missing', undefined],
    ['is empty', ''],
    ['is a number', 7],
    ['is a list', ['user-1']],
    ['has a NUL', 'alice\u0000x'],
    ['has a line break', 'alice\r\nx: y'],
    ['has a zero-width space', 'ali\u200bce'],
    ['has a direction override', 'ali\u202ece'],
    ['has half a character', 'ali\ud800ce'],
    ['has a letter that nobody sees', 'alice\u3164'],
    ['has a mark that nobody sees', 'alice\ufe0f'],
    ['begins with a blank', ' alice'],
    ['is longer than 255', 'a'.repeat(256)],
  ])('is refused when it %s', (_, sub) => {
    expect(read({ sub }).reason).toBe('credential_invalid');
  });

  test('comes from the configured claim alone', () => {
    expect(read({ oid: 'o-1' }, { claims: { id: 'oid' } }).id).toBe('o-1');
    expect(read({}, { claims: { id: 'oid' } }).reason).toBe('credential_invalid');
    expect(read({}, { claims: { id: 'constructor' } }).reason).toBe('credential_invalid');
  });
});

describe('email', () => {
  test.each([
    ['two at signs', 'a@evil.com@vendor.com'],
    ['a NUL', 'a@vendor.com\u0000'],
    ['a line break', 'a@vendor.com\nBcc: x'],
    ['a blank', 'a b@vendor.com'],
    ['a second at sign of full width', 'a@evil.com\uff20vendor.com'],
    ['no at sign but one of full width', 'a\uff20vendor.com'],
    ['no at sign', 'vendor.com'],
    ['nothing before it', '@vendor.com'],
    ['nothing behind it', 'a@'],
    ['a comma of full width', 'all\uff0ca@vendor.com'],
    ['brackets', '<a@vendor.com>'],
    ['an encoded word', '=?utf-8?q?a=40evil.com=3e?=@vendor.com'],
    ['a number', 7],
    ['321 characters', `${'a'.repeat(309)}@vendor.example`.padStart(321, 'a')],
  ])('is refused with %s', (_, email) => {
    expect(read({ email }).reason).toBe('credential_invalid');
  });

  test.each([
    ['email_verified is false', { email_verified: false }],
    ['email_verified is "false"', { email_verified: 'false' }],
    ['email_verified is null', { email_verified: null }],
    ['the domain is not proven (Entra)', { xms_edov: false }],
    ['there is none', { email: undefined }],
    ['it is null', { email: null }],
    ['it is empty', { email: '' }],
  ])('is null when %s', (_, claims) => {
    expect(read(claims).email).toBeNull();
  });

  test.each([{}, { email_verified: true }, { email_verified: 'true' }, { xms_edov: '1' }])(
    'is believed with %j',
    (claims) => {
      expect(read(claims).email).toBe('anna@vendor.example');
    },
  );
});

describe('name', () => {
  test.each([7, '', 'a\nb', 'a\u202eb', 'a\ud800', 'a'.repeat(257)])('%j is left out', (name) => {
    expect(read({ name }).name).toBeNull();
  });

  test('may have joiners', () => {
    expect(read({ name: 'می\u200cخواهم' }).name).toBe('می\u200cخواهم');
  });
});

describe('groups', () => {
  test('are listed without duplicates; one alone may stand without a list; none is an empty list', () => {
    expect(read({ groups: ['a', 'b', 'a'] }).groups).toEqual(['a', 'b']);
    expect(read({ groups: 'support' }).groups).toEqual(['support']);
    expect(read({ groups: undefined }).groups).toEqual([]);
  });

  test.each([[[1]], [{ a: 1 }], [['a', null]], [['a\u0000b']], [7], [['']]])('%j is refused', (groups) => {
    expect(read({ groups }).reason).toBe('credential_invalid');
  });

  test('may lie deeper, or under a name with dots', () => {
    const deep = { realm_access: { roles: ['a'] } };
    expect(read(deep, { claims: { groups: 'realm_access.roles' } }).groups).toEqual(['a']);
    const dotted = { 'https://vendor.example/roles': ['b'] };
    expect(read(dotted, { claims: { groups: 'https://vendor.example/roles' } }).groups).toEqual(['b']);
  });

  test.each([
    [{ _claim_names: { groups: 'src1' }, _claim_sources: {} }],
    [{ hasgroups: true }],
    [{ hasgroups: 'true' }],
    [{ 'groups:src1': { endpoint: 'https://graph.example' } }],
  ])('that the provider left out for their number are an overage: %j', (claims) => {
    expect(read({ groups: undefined, ...claims }).reason).toBe('groups_overage');
    expect(read(claims).reason).toBe('groups_overage');
  });

  test('left out do not matter where other claims hold what is asked for', () => {
    const claims = { hasgroups: true, _claim_names: { groups: 'src1' }, roles: ['support'] };
    expect(read(claims, { claims: { groups: 'roles' } }).groups).toEqual(['support']);
  });

  test('that are required must be there, at least one', () => {
    expect(read({}, { requireGroups: ['other', 'support'] }).id).toBe('user-1');
    expect(read({}, { requireGroups: ['other'] }).reason).toBe('not_support_principal');
    expect(read({ groups: undefined }, { requireGroups: ['other'] }).reason).toBe('not_support_principal');
    expect(read({ groups: ['Support'] }, { requireGroups: ['support'] }).reason).toBe(
      'not_support_principal',
    );
  });
});

describe('organisation', () => {
  const org = { claim: 'org', oneOf: ['vendor', 'vendor-emea'] };
  test('is pinned by configuration, whatever the token says', () => {
    expect(read({ org: 'evil' }).org).toBe('vendor');
  });

  test('is read from a claim only where it is one of the listed', () => {
    expect(read({ org: 'vendor-emea' }, { org }).org).toBe('vendor-emea');
    for (const claimed of ['evil', 'Vendor', ['vendor'], undefined, '']) {
      expect(read({ org: claimed }, { org }).reason).toBe('not_support_principal');
    }
  });
});

describe('a customer', () => {
  const issuer = checkCustomerIssuer({
    name: 'helpdesk',
    issuer: 'https://app.example.com',
    audience: 'postern-control',
    keys: { kind: 'uri', uri: 'https://app.example.com/jwks' },
    claims: { tenant: 'org_id', permissions: 'perms' },
  });
  const claims = {
    sub: 'u',
    org_id: 'acme',
    is_admin: true,
    email: 'a@acme.example',
    name: 'A',
    perms: ['x', 'y'],
  };

  test('is who the token says, for one tenant', () => {
    expect(readCustomer(issuer, claims)).toEqual({
      kind: 'customer',
      issuer: 'https://app.example.com',
      id: 'u',
      tenant: 'acme',
      admin: true,
      email: 'a@acme.example',
      name: 'A',
      permissions: ['x', 'y'],
      products: [],
    });
  });

  test.each([false, 'true', 1, {}, [true], undefined, null])('is no admin by the claim %j', (admin) => {
    expect(readCustomer(issuer, { ...claims, is_admin: admin })).toMatchObject({ admin: false });
  });

  test('may be numbered, and so may the tenant', () => {
    expect(readCustomer(issuer, { ...claims, sub: 7, org_id: 42 })).toMatchObject({ id: '7', tenant: '42' });
  });

  test.each([undefined, '', ' acme', 'ac\u0000me', ['acme'], { a: 1 }, 1.5, -1, 1e20, 'a'.repeat(254)])(
    'is refused with the tenant %j',
    (tenant) => {
      expect(readCustomer(issuer, { ...claims, org_id: tenant })).toMatchObject({
        reason: 'credential_invalid',
      });
    },
  );

  test.each([{ perms: [1] }, { products: { a: 1 } }, { email: 'a@b@c' }, { sub: '' }])(
    'is refused with %j',
    (more) => {
      expect(readCustomer(issuer, { ...claims, ...more })).toMatchObject({ reason: 'credential_invalid' });
    },
  );
});
