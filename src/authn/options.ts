// What the room is told about issuers, and the one place where that is checked: at construction, never per
// request. A wrong option is a TypeError that names the issuer and the option. Cold.

const ALGORITHMS = ['ES256', 'RS256', 'PS256', 'EdDSA'] as const;
/** Asymmetric JWS algorithms only (RFC 7518 section 3.1, RFC 8037); `EdDSA` means Ed25519. */
export type Algorithm = (typeof ALGORITHMS)[number];

/** Where an issuer's public keys come from. A file is watched; `inline` is the text of a JWK set and never refreshed. */
export type KeySourceOptions =
  | { readonly kind: 'discovery' }
  | { readonly kind: 'uri'; readonly uri: string }
  | { readonly kind: 'file'; readonly file: string }
  | { readonly kind: 'inline'; readonly json: string };

export interface IssuerOptions {
  /** Short, for metrics, logs and `roles.issuers`. */
  readonly name: string;
  /** Compared with `iss` byte for byte. */
  readonly issuer: string;
  readonly keys: KeySourceOptions;
  /** Default ES256 and RS256. Never empty. */
  readonly algorithms?: readonly Algorithm[] | undefined;
  /** By `iat`. Default 24 h; null: only `exp` limits a token. */
  readonly maxTokenAgeMs?: number | null | undefined;
  /** 0 to 60,000; default 30,000. */
  readonly clockToleranceMs?: number | undefined;
  /**
   * Audiences that may stand beside ours. Default none: whoever else a token is meant for could replay it
   * here. Never ours for another listener.
   */
  readonly otherAudiences?: readonly string[] | undefined;
  /** Allowed values of `azp`, which must then be present. Default: not looked at. */
  readonly authorizedParties?: readonly string[] | undefined;
  /** Keys over plain HTTP from another machine: whoever sits between can sign anything. */
  readonly dangerouslyAllowHttp?: boolean | undefined;
}

/** Names of claims: an own member of that name, else a path of members (`realm_access.roles`). */
interface SupportClaims {
  readonly id: string;
  readonly email: string;
  readonly name: string;
  readonly groups: string;
}

type OrgOptions = { readonly value: string } | { readonly claim: string; readonly oneOf: readonly string[] };

export interface SupportIssuerOptions extends IssuerOptions {
  /** For the data listener. */
  readonly audience: string;
  /** For the control API; never the same as `audience`. Null: its people cannot use the control API. */
  readonly controlAudience?: string | null | undefined;
  /** Default `sub email name groups`. */
  readonly claims?: Partial<SupportClaims> | undefined;
  readonly org: OrgOptions;
  /** The principal must be in at least one; default empty: none asked for. */
  readonly requireGroups?: readonly string[] | undefined;
}

interface CustomerClaims {
  readonly tenant: string;
  readonly admin: string;
  readonly id: string;
  readonly email: string;
  readonly name: string;
  readonly permissions: string;
  readonly products: string;
}

export interface CustomerIssuerOptions extends IssuerOptions {
  readonly audience: string;
  /** `tenant` has no default. Default of the others: `is_admin sub email name permissions products`. */
  readonly claims: { readonly tenant: string } & Partial<CustomerClaims>;
}

type Complete<T> = { readonly [K in keyof T]-?: Exclude<T[K], undefined> };

/** `IssuerOptions` with every default filled in. Frozen. */
export type Issuer = Complete<IssuerOptions>;
export type SupportIssuer = Issuer &
  Complete<Omit<SupportIssuerOptions, keyof IssuerOptions | 'claims'>> & { readonly claims: SupportClaims };
export type CustomerIssuer = Issuer & { readonly audience: string; readonly claims: CustomerClaims };

const MAX_TOLERANCE_MS = 60_000;
const DAY_MS = 86_400_000;

export function checkIssuer(given: IssuerOptions): Issuer {
  const issuer: Issuer = {
    name: given.name,
    issuer: given.issuer,
    keys: given.keys,
    algorithms: given.algorithms ?? ['ES256', 'RS256'],
    maxTokenAgeMs: given.maxTokenAgeMs === undefined ? DAY_MS : given.maxTokenAgeMs,
    clockToleranceMs: given.clockToleranceMs ?? 30_000,
    otherAudiences: given.otherAudiences ?? [],
    authorizedParties: given.authorizedParties ?? [],
    dangerouslyAllowHttp: given.dangerouslyAllowHttp === true,
  };
  need(issuer, isText(issuer.name), 'name must not be empty');
  need(issuer, isText(issuer.issuer), 'issuer must not be empty');
  need(issuer, issuer.algorithms.length > 0, 'algorithms must not be empty');
  for (const algorithm of issuer.algorithms) {
    need(issuer, ALGORITHMS.includes(algorithm), `algorithms must be among ${ALGORITHMS.join(', ')}`);
  }
  const { clockToleranceMs, maxTokenAgeMs } = issuer;
  need(
    issuer,
    Number.isSafeInteger(clockToleranceMs) && clockToleranceMs >= 0 && clockToleranceMs <= MAX_TOLERANCE_MS,
    'clockToleranceMs must be 0 to 60,000',
  );
  need(
    issuer,
    maxTokenAgeMs === null || (Number.isSafeInteger(maxTokenAgeMs) && maxTokenAgeMs > 0),
    'maxTokenAgeMs must be positive, or null',
  );
  checkKeySource(issuer);
  return Object.freeze(issuer);
}

export function checkSupportIssuer(given: SupportIssuerOptions): SupportIssuer {
  const issuer: SupportIssuer = {
    ...checkIssuer(given),
    audience: given.audience,
    controlAudience: given.controlAudience ?? null,
    claims: { id: 'sub', email: 'email', name: 'name', groups: 'groups', ...given.claims },
    org: given.org,
    requireGroups: given.requireGroups ?? [],
  };
  need(issuer, isText(issuer.audience), 'audience must not be empty');
  need(
    issuer,
    issuer.controlAudience === null || isText(issuer.controlAudience),
    'controlAudience must not be empty',
  );
  need(issuer, issuer.controlAudience !== issuer.audience, 'controlAudience must differ from audience');
  checkOtherAudiences(issuer, [issuer.audience, issuer.controlAudience]);
  checkClaims(issuer, issuer.claims);
  const { org } = issuer;
  need(
    issuer,
    'value' in org ? isText(org.value) : isText(org.claim) && org.oneOf.length > 0 && org.oneOf.every(isText),
    'org must be {value}, or {claim, oneOf} with at least one value',
  );
  return Object.freeze(issuer);
}

export function checkCustomerIssuer(given: CustomerIssuerOptions): CustomerIssuer {
  const issuer: CustomerIssuer = {
    ...checkIssuer(given),
    audience: given.audience,
    claims: {
      admin: 'is_admin',
      id: 'sub',
      email: 'email',
      name: 'name',
      permissions: 'permissions',
      products: 'products',
      ...given.claims,
    },
  };
  need(issuer, isText(issuer.audience), 'audience must not be empty');
  checkOtherAudiences(issuer, [issuer.audience]);
  checkClaims(issuer, issuer.claims);
  return Object.freeze(issuer);
}

/** Issuers by their URL. Throws a TypeError when two share one: a token could be judged as either's. */
export function byIssuer<T extends { readonly name: string; readonly issuer: string }>(
  issuers: readonly T[],
): ReadonlyMap<string, T> {
  const map = new Map<string, T>();
  for (const issuer of issuers) {
    need(issuer, !map.has(issuer.issuer), 'another issuer has the same issuer URL');
    map.set(issuer.issuer, issuer);
  }
  return map;
}

/**
 * A URL that keys may be fetched from: https, or http to this machine, or http where the issuer dangerously
 * allows it. Throws a TypeError. A user name in it would end up in logs, so it is refused.
 */
export function checkKeyUrl(text: string, dangerouslyAllowHttp: boolean): URL {
  const url = URL.parse(text);
  if (url === null) throw new TypeError('the address of the keys is not a URL');
  if (url.username !== '' || url.password !== '') {
    throw new TypeError('the address of the keys must not hold a user name or password');
  }
  const plain = url.protocol === 'http:' && (dangerouslyAllowHttp || isLoopback(url.hostname));
  if (url.protocol !== 'https:' && !plain) throw new TypeError('the address of the keys must be https');
  return url;
}

function checkKeySource(issuer: Issuer): void {
  const { keys } = issuer;
  if (keys.kind === 'file' || keys.kind === 'inline') return;
  const text = keys.kind === 'uri' ? keys.uri : issuer.issuer;
  let url: URL;
  try {
    url = checkKeyUrl(text, issuer.dangerouslyAllowHttp);
  } catch (error) {
    throw new TypeError(`issuer ${JSON.stringify(issuer.name)}: ${(error as Error).message}`, {
      cause: error,
    });
  }
  // OpenID Connect Discovery 1.0 section 3: an issuer has no query and no fragment.
  const bare = url.search === '' && url.hash === '';
  need(issuer, keys.kind !== 'discovery' || bare, 'issuer must have no query and no fragment');
}

/** RFC 6761 section 6.3 lets `localhost` stand for this machine; WHATWG URLs bring IPv4 to its one form. */
function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname);
}

function checkOtherAudiences(issuer: Issuer, own: readonly (string | null)[]): void {
  const clash = issuer.otherAudiences.some((audience) => own.includes(audience));
  need(issuer, !clash, 'otherAudiences must not name an audience of our own');
}

function checkClaims(issuer: Issuer, claims: object): void {
  for (const [key, value] of Object.entries(claims)) {
    need(issuer, isText(value), `claims.${key} must name a claim`);
  }
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value.length > 0;
}

function need(issuer: { readonly name: string }, holds: boolean, message: string): void {
  if (!holds) throw new TypeError(`issuer ${JSON.stringify(issuer.name)}: ${message}`);
}
