// Who may speak to the control API, and as what.
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ControlAuthenticator } from '#authn/control-authenticator.ts';
import { type ControlAuthenticatorDeps, createControlAuthenticator } from '#authn/customer-authenticator.ts';
import { createKeySets, type KeySets } from '#authn/key-sets.ts';
import { createServiceKeys } from '#authn/service-keys.ts';
import { manualClock } from '../../support/authn-clock.ts';
import { keySetOf, makeKey, signToken, type TestKey } from '../../support/authn-keys.ts';

const VENDOR = 'https://idp.vendor.example';
const PARTNER = 'https://idp.partner.example';
const APP = 'https://app.example.com';
const KEY = `psk_${'k'.repeat(40)}`;

const clock = manualClock();
const keys: Record<string, TestKey> = {
  [VENDOR]: makeKey('ES256', 'v'),
  [PARTNER]: makeKey('ES256', 'p'),
  [APP]: makeKey('ES256', 'a'),
};

function issuer(name: string, url: string) {
  const json = JSON.stringify(keySetOf(keys[url] as TestKey));
  return { name, issuer: url, keys: { kind: 'inline', json } } as const;
}

const support = [
  {
    ...issuer('workforce', VENDOR),
    audience: 'postern',
    controlAudience: 'postern-control',
    org: { value: 'vendor' },
  },
  {
    ...issuer('partner', PARTNER),
    audience: 'postern',
    controlAudience: 'postern-control',
    org: { value: 'partner' },
  },
];
const customers = [{ ...issuer('helpdesk', APP), audience: 'postern-control', claims: { tenant: 'org_id' } }];
const services = [
  { name: 'other', keyHash: sha256('psk_other'), may: [] },
  { name: 'provisioning', keyHash: sha256(KEY), may: ['tenants', 'grants'] },
];
const roles = { lead: ['support-leads'], security: ['security'] };

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

let keySets: KeySets;
let control: ControlAuthenticator;
let deps: ControlAuthenticatorDeps;

beforeAll(async () => {
  keySets = createKeySets({ issuers: [...support, ...customers], clock });
  await keySets.ready();
  deps = { support, customers, services, roles, keySets, clock };
  control = createControlAuthenticator(deps);
});
afterAll(() => keySets.close());

function bearer(url: string, claims: object = {}): string {
  const now = clock.seconds();
  const all = { iss: url, aud: 'postern-control', sub: 'u-1', iat: now, exp: now + 60, ...claims };
  return `Bearer ${signToken(keys[url] as TestKey, all)}`;
}

async function rolesFor(groups: string[]): Promise<unknown> {
  const identity = await control.authenticate(bearer(VENDOR, { groups }));
  return 'kind' in identity && identity.kind === 'staff' ? identity.roles : identity;
}

describe('a customer', () => {
  test('is who the token of the application says', async () => {
    const header = bearer(APP, { org_id: 'acme', is_admin: true, email: 'c@acme.example' });
    expect(await control.authenticate(header)).toEqual({
      kind: 'customer',
      issuer: APP,
      id: 'u-1',
      email: 'c@acme.example',
      name: null,
      tenant: 'acme',
      admin: true,
      permissions: [],
      products: [],
    });
  });

  test('without a tenant is nobody', async () => {
    expect(await control.authenticate(bearer(APP))).toMatchObject({ reason: 'credential_invalid' });
  });

  test('cannot become staff by claims', async () => {
    const header = bearer(APP, { org_id: 'acme', groups: ['security'], kind: 'staff', roles: ['lead'] });
    expect(await control.authenticate(header)).toMatchObject({ kind: 'customer', admin: false });
  });
});

describe('the support staff', () => {
  test('have the duties that their groups give', async () => {
    expect(await rolesFor([])).toEqual([]);
    expect(await rolesFor(['support'])).toEqual([]);
    expect(await rolesFor(['support-leads'])).toEqual(['lead']);
    expect(await rolesFor(['security', 'support-leads'])).toEqual(['lead', 'security']);
    expect(await rolesFor(['Security'])).toEqual([]);
  });

  test("of a partner's provider get no duty by naming a group so", async () => {
    const header = bearer(PARTNER, { groups: ['security', 'support-leads'] });
    expect(await control.authenticate(header)).toMatchObject({
      kind: 'staff',
      principal: { org: 'partner' },
      roles: [],
    });
  });

  test('of another provider get duties where the configuration names it', async () => {
    const both = createControlAuthenticator({
      ...deps,
      roles: { ...roles, issuers: ['workforce', 'partner'] },
    });
    expect(await both.authenticate(bearer(PARTNER, { groups: ['security'] }))).toMatchObject({
      roles: ['security'],
    });
  });

  test('without a controlAudience cannot use the control API', async () => {
    const closed = { ...issuer('workforce', VENDOR), audience: 'postern', org: { value: 'vendor' } };
    const shut = createControlAuthenticator({ ...deps, support: [closed] });
    expect(await shut.authenticate(bearer(VENDOR))).toMatchObject({ reason: 'issuer_unknown' });
  });

  test('meet the same checks as on the data listener', async () => {
    expect(await control.authenticate(bearer(VENDOR, { aud: 'postern' }))).toMatchObject({
      reason: 'credential_invalid',
    });
    expect(await control.authenticate(bearer(VENDOR, { exp: 1 }))).toMatchObject({
      reason: 'credential_expired',
    });
    expect(await control.authenticate(bearer(VENDOR, { hasgroups: true }))).toMatchObject({
      reason: 'groups_overage',
    });
  });
});

describe('a service', () => {
  test('is known by its whole key', async () => {
    const expected = { kind: 'service', name: 'provisioning', may: ['tenants', 'grants'] };
    expect(await control.authenticate(`Bearer ${KEY}`)).toEqual(expected);
  });

  test.each([
    ['a piece of the key', KEY.slice(0, -1)],
    ['more than the key', `${KEY}k`],
    ['the hash of the key', `psk_${sha256(KEY)}`],
    ['the bare prefix', 'psk_'],
    ['a very long key', `psk_${'k'.repeat(600)}`],
  ])('is nobody with %s', async (_, key) => {
    expect(await control.authenticate(`Bearer ${key}`)).toMatchObject({ reason: 'credential_invalid' });
  });

  test('is nobody with the hash itself, which is no key', async () => {
    expect(await control.authenticate(`Bearer ${sha256(KEY)}`)).toMatchObject({
      reason: 'credential_invalid',
    });
  });
});

describe('the header', () => {
  test.each([
    undefined,
    '',
    'Bearer',
    'Bearer ',
    'Basic dTpw',
    `Bearer ${KEY}, Bearer ${KEY}`,
    `Bearer ${KEY} x`,
    `Bearer\t${KEY}`,
    KEY,
  ])('%j holds no single bearer credential', async (header) => {
    expect(await control.authenticate(header)).toMatchObject({ reason: 'no_credential' });
  });

  test('may write the scheme in any case', async () => {
    expect(await control.authenticate(`bEARER  ${KEY}`)).toMatchObject({ kind: 'service' });
  });

  test('that is far too long is not even searched', async () => {
    expect(await control.authenticate(`Bearer ${'a'.repeat(20_000)}`)).toMatchObject({
      reason: 'no_credential',
    });
  });
});

describe('construction', () => {
  test('refuses one issuer URL for staff and customers: a token could be judged as either', () => {
    const clash = [{ ...customers[0], issuer: VENDOR }] as typeof customers;
    expect(() => createControlAuthenticator({ ...deps, customers: clash })).toThrow(
      /"helpdesk".*same issuer/,
    );
  });

  test('refuses duties of an issuer that there is not', () => {
    expect(() => createControlAuthenticator({ ...deps, roles: { issuers: ['nobody'] } })).toThrow(/nobody/);
  });

  test.each([
    [{ name: 'x', keyHash: 'abc', may: [] }, /"x": keyHash/],
    [{ name: 'x', keyHash: `${sha256('a')}0`, may: [] }, /"x": keyHash/],
    [{ name: '', keyHash: sha256('a'), may: [] }, /no name/],
    [{ name: 'x', keyHash: sha256(KEY), may: [] }, /same key/],
  ])('refuses the service %j', (service, message) => {
    expect(() => createServiceKeys([...services, service])).toThrow(message);
  });
});
