// Who lives in the model: humans, each with one account or two, of the customers and of the vendor. An address is
// verified and says which human somebody is, whatever their issuer; whoever has none is known by the account alone.

export const TENANTS = ['acme', 'globex'] as const;
export type Tenant = (typeof TENANTS)[number];

export const STAFF_IDP = 'https://idp.vendor.example';
export const PARTNER_IDP = 'https://idp.desk.example';
const CUSTOMER_IDP = 'https://app.example.com';
const SERVICE_IDP = 'urn:postern:service';

/** One account of somebody. */
export interface Account {
  /** Of the account, unique. */
  readonly name: string;
  /** Whose it is; of a service the person it names, null when it names nobody. */
  readonly human: string | null;
  readonly side: 'admin' | 'user' | 'service' | 'staff' | 'lead' | 'security';
  /** Of the customers' people: the only one they speak for. */
  readonly home: Tenant | null;
  readonly issuer: string;
  readonly id: string;
  /** Of a service: of the person it names. */
  readonly email: string | null;
  readonly permission: boolean;
  readonly licence: boolean;
  readonly org: string;
  readonly groups: readonly string[];
}

const customer = { issuer: CUSTOMER_IDP, permission: false, licence: false, org: '', groups: [] };
const service = { ...customer, side: 'service', home: null, issuer: SERVICE_IDP, id: 'key' } as const;
const vendor = {
  home: null,
  issuer: STAFF_IDP,
  permission: true,
  licence: true,
  org: 'vendor',
} as const;

export const ADA: Account = {
  ...customer,
  name: 'ada',
  human: 'ada',
  side: 'admin',
  home: 'acme',
  id: 'ada',
  email: 'ada@acme.example',
  permission: true,
};
/** Also works for the vendor, under another issuer and the same address. */
const BOB: Account = {
  ...ADA,
  name: 'bob',
  human: 'bob',
  id: 'bob',
  email: 'bob@acme.example',
  licence: true,
};
const CYD: Account = {
  ...ADA,
  name: 'cyd',
  human: 'cyd',
  id: 'cyd',
  email: 'cyd@acme.example',
  permission: false,
};
const GIL: Account = {
  ...ADA,
  name: 'gil',
  human: 'gil',
  home: 'globex',
  id: 'gil',
  email: 'gil@globex.example',
};
const UMA: Account = {
  ...customer,
  name: 'uma',
  human: 'uma',
  side: 'user',
  home: 'acme',
  id: 'uma',
  email: 'uma@acme.example',
  licence: true,
};
const ULI: Account = { ...UMA, name: 'uli', human: 'uli', id: 'uli', email: null, licence: false };
export const KEY: Account = { ...service, name: 'key', human: null, email: null };
const KEY_FOR_ADA: Account = {
  ...service,
  name: 'key for ada',
  human: 'ada',
  email: 'ada@acme.example',
  permission: true,
  licence: true,
};
const KEY_FOR_SAM: Account = {
  ...KEY_FOR_ADA,
  name: 'key for sam',
  human: 'sam',
  email: 'sam@vendor.example',
};

const SAM: Account = {
  ...vendor,
  name: 'sam',
  human: 'sam',
  side: 'staff',
  id: 'sam',
  email: 'sam@vendor.example',
  groups: ['support'],
};
/** Sam again, as a lead of the partner's, with the address in capitals. */
const SAM_AT_DESK: Account = {
  ...SAM,
  name: 'sam at desk',
  side: 'lead',
  issuer: PARTNER_IDP,
  id: 'desk-7',
  email: 'SAM@Vendor.Example',
  org: 'desk',
  groups: ['support', 'leads'],
};
const BOB_AT_VENDOR: Account = {
  ...SAM,
  name: 'bob at vendor',
  human: 'bob',
  id: 'bob@acme.example',
  email: 'Bob@acme.example',
};
const LEA: Account = {
  ...SAM,
  name: 'lea',
  human: 'lea',
  side: 'lead',
  id: 'lea',
  email: 'lea@vendor.example',
  groups: ['leads'],
};
const LOU: Account = {
  ...SAM_AT_DESK,
  name: 'lou',
  human: 'lou',
  id: 'lou',
  email: 'lou@desk.example',
};
const QUINN: Account = {
  ...vendor,
  name: 'quinn',
  human: 'quinn',
  side: 'security',
  id: 'quinn',
  email: 'quinn@vendor.example',
  groups: ['security'],
};
const RITA: Account = { ...QUINN, name: 'rita', human: 'rita', id: 'rita', email: 'rita@vendor.example' };
const QUINN_AT_DESK: Account = {
  ...QUINN,
  name: 'quinn at desk',
  issuer: PARTNER_IDP,
  id: 'desk-9',
  email: 'Quinn@Vendor.Example',
  org: 'desk',
};
/** Of security, without an address. */
const NAT: Account = { ...QUINN, name: 'nat', human: 'nat', id: 'nat', email: null };

export const ADMINS = [ADA, BOB, CYD, GIL];
export const CUSTOMERS = [...ADMINS, UMA, ULI, KEY, KEY_FOR_ADA, KEY_FOR_SAM];
export const LEADS = [SAM_AT_DESK, LEA, LOU];
export const SECURITY = [QUINN, RITA, QUINN_AT_DESK, NAT];
export const SUPPORT = [SAM, SAM_AT_DESK, BOB_AT_VENDOR, LEA, LOU];
/** Everybody who may ever enter. */
export const STAFF: readonly Account[] = [...SUPPORT, ...SECURITY];
export const ACCOUNTS: readonly Account[] = [...CUSTOMERS, ...STAFF];

export function accountNamed(name: string): Account {
  const found = ACCOUNTS.find((one) => one.name === name);
  if (found === undefined) throw new Error(`nobody has the account ${name}`);
  return found;
}

/** A person of the customer, or a program in the name of one. */
export function isCustomersPerson({ side, human }: Account): boolean {
  return side === 'admin' || side === 'user' || (side === 'service' && human !== null);
}

export function isStaff({ side }: Account): boolean {
  return side === 'staff' || side === 'lead' || side === 'security';
}

/** What of the operations the control API's table has a row for. */
export type Door =
  | 'grants.create'
  | 'grants.change'
  | 'grants.revoke'
  | 'grants.verify'
  | 'access.switch'
  | 'settings.change'
  | 'requests.make'
  | 'requests.approve'
  | 'requests.deny'
  | 'requests.withdraw'
  | 'sessions.open'
  | 'sessions.end'
  | 'locks.set'
  | 'locks.lift'
  | 'break_glass.ask'
  | 'break_glass.second';

/** Why somebody is not even heard; empty when they are. What lies behind another tenant's door is asked apart. */
export function doorCodes({ side, human }: Account, door: Door): readonly string[] {
  const isVendor = side === 'staff' || side === 'lead' || side === 'security';
  switch (door) {
    case 'grants.create':
      if (isVendor) return ['staff_never_grant'];
      return side === 'service' && human === null ? ['on_behalf_of_required'] : [];
    case 'grants.change':
    case 'grants.revoke':
      return isVendor ? ['staff_never_grant'] : [];
    case 'access.switch':
      if (isVendor) return ['staff_never_grant'];
      if (side === 'user') return ['not_tenant_admin'];
      return side === 'service' && human === null ? ['on_behalf_of_required'] : [];
    case 'settings.change':
      if (isVendor) return ['staff_never_grant'];
      return side === 'user' ? ['not_tenant_admin'] : [];
    case 'grants.verify':
      if (side === 'service') return ['service_not_allowed'];
      return side === 'lead' ? [] : ['leads_only'];
    case 'requests.approve':
    case 'requests.deny':
      if (side === 'user') return ['not_tenant_admin'];
      if (side === 'service') return human === null ? ['on_behalf_of_required'] : [];
      return side === 'staff' || side === 'security' ? ['leads_only'] : [];
    case 'requests.make':
    case 'requests.withdraw':
      return isVendor ? [] : ['asker_only'];
    case 'sessions.open':
      return isVendor ? [] : ['staff_only'];
    case 'sessions.end':
      if (side === 'service') return ['service_not_allowed'];
      return side === 'user' ? ['not_tenant_admin'] : [];
    case 'locks.set':
    case 'locks.lift':
    case 'break_glass.ask':
    case 'break_glass.second':
      if (side === 'service') return ['service_not_allowed'];
      return side === 'security' ? [] : ['security_staff_only'];
  }
}
