// The one frozen configuration: what a valid gateway file means, with units in the names and nothing left to parse.
// `load-config.ts` alone makes it, after every check; whoever holds one may trust each value.
// Not hot: rooms take what they need from it at construction.
import type { SessionFloor, SettingsDefaults } from '#model/settings-layer.ts';
import type { AuditConfig } from './audit-config.ts';
import type { NotifyConfig } from './notify-config.ts';
import type { Secret } from './secret.ts';

export interface Config {
  /** Absolute path of the file it was read from; the paths below are absolute too, resolved against its folder. */
  readonly file: string;
  readonly listen: {
    readonly data: Listener;
    readonly control: Listener;
    readonly ops: Pick<Listener, 'address'>;
  };
  readonly workers: 1;
  readonly traffic: TrafficConfig;
  readonly tenancy: Tenancy;
  readonly upstream: UpstreamConfig;
  /** By name, in the order of the file. */
  readonly secrets: ReadonlyMap<string, SecretEntry>;
  readonly identity: IdentityConfig;
  readonly grants: GrantsConfig;
  /** The floor: profiles and a tenant's settings may be stricter. */
  readonly sessions: SessionFloor;
  readonly notify: NotifyConfig;
  readonly policies: PoliciesConfig;
  readonly audit: AuditConfig;
  readonly limits: LimitsConfig;
  /** While this file exists nothing is forwarded. */
  readonly killSwitch: { readonly file: string };
  readonly log: { readonly level: LogLevel };
}

/** A TCP address (port 0 is any free one; an IPv6 host without brackets) or a Unix domain socket. */
export type Address =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string };

interface Listener {
  readonly address: Address;
  readonly tls: TlsMaterial | null;
}

/** PEM, checked to belong together. `file` of each secret is what to watch; `readSecretFile` reads it again. */
export interface TlsMaterial {
  readonly cert: Secret;
  readonly key: Secret;
}

export interface TrafficConfig {
  readonly unidentified: 'deny';
  /** Serialised origins (RFC 6454 section 6.2), lower case; empty: the same origin as Host only. */
  readonly origins: readonly string[];
  /** Lower case, `host` (any port) or `host:port`; never empty, unless tenancy is by host: then always empty. */
  readonly hosts: readonly string[];
}

export type Tenancy = HostTenancy | PathTenancy | HeaderTenancy;

/** The tenant is the one label between `prefix` and `suffix`: `{tenant}.app.example.com` has suffix `.app.example.com`. */
interface HostTenancy {
  readonly from: 'host';
  readonly pattern: string;
  /** Lower case; ends with a dot, or is empty. */
  readonly prefix: string;
  /** Lower case; starts with a dot, without a port; never empty. */
  readonly suffix: string;
  /** Null allows every port. */
  readonly port: number | null;
}

/** The tenant is the whole segment after `prefix`: `/t/{tenant}` has prefix `/t/`. */
interface PathTenancy {
  readonly from: 'path';
  readonly pattern: string;
  /** Starts and ends with a slash, canonical. */
  readonly prefix: string;
  /** Whether the upstream gets the path without prefix and tenant. Rules never see them. */
  readonly strip: boolean;
}

interface HeaderTenancy {
  readonly from: 'header';
  /** Lower case. */
  readonly name: string;
}

export interface UpstreamConfig {
  /** An origin without a trailing slash: `http://127.0.0.1:3000`. */
  readonly origin: string;
  readonly preserveHost: boolean;
  readonly connections: number;
  readonly timeouts: { readonly connectMs: number; readonly headersMs: number; readonly idleMs: number };
  readonly assertion: AssertionConfig;
  /** In the order of the file; names as spelled there, unique without regard to case. */
  readonly inject: readonly { readonly name: string; readonly template: string }[];
  readonly dangerouslySkipTlsVerify: boolean;
}

export interface AssertionConfig {
  /** As spelled in the file. */
  readonly header: string;
  readonly issuer: string;
  readonly audience: string;
  /** 1,000 to 60,000. */
  readonly lifetimeMs: number;
  readonly key: SigningKey;
}

/** A PKCS #8 or SEC 1 private key in PEM: Ed25519, or for the assertion P-256 too. */
export interface SigningKey {
  /** Null only when `file` does not exist yet: it is to be made on first start, readable by its owner alone. */
  readonly pem: Secret | null;
  /** Null when the key comes from the environment. */
  readonly file: string | null;
}

/** One secret, or a map of them that a template indexes: `{secret:upstreamTokens[{tenant}]}`. */
export type SecretEntry =
  | { readonly kind: 'one'; readonly value: Secret }
  | { readonly kind: 'map'; readonly values: ReadonlyMap<string, Secret> };

export interface IdentityConfig {
  /** Never empty; names and issuers are unique, across `customers` too. */
  readonly support: readonly SupportIssuer[];
  readonly customers: readonly CustomerIssuer[];
  readonly services: readonly ServiceAccount[];
  /** The vendor-side duties; a person holds one who is in any of the groups. */
  readonly roles: { readonly lead: readonly string[]; readonly security: readonly string[] };
}

export const SIGNATURE_ALGORITHMS = ['ES256', 'RS256', 'PS256', 'EdDSA'] as const;
export type SignatureAlgorithm = (typeof SIGNATURE_ALGORITHMS)[number];

/** Where an issuer's public keys come from. */
export type KeySetSource =
  | { readonly kind: 'discovery' }
  | { readonly kind: 'uri'; readonly uri: string }
  | { readonly kind: 'file'; readonly file: string };

interface Issuer {
  /** Short, for metrics and logs. */
  readonly name: string;
  /** Compared with `iss` byte for byte. */
  readonly issuer: string;
  readonly keys: KeySetSource;
  /** Never empty. */
  readonly algorithms: readonly SignatureAlgorithm[];
  /** By `iat`. */
  readonly maxTokenAgeMs: number;
  /** At most 60,000. */
  readonly clockToleranceMs: number;
  /** Audiences that may stand beside ours; never one of ours. */
  readonly otherAudiences: readonly string[];
  /** What `azp` may be; empty: it is not looked at. */
  readonly authorizedParties: readonly string[];
  readonly dangerouslyAllowHttp: boolean;
}

export interface SupportIssuer extends Issuer {
  /** For the data listener. */
  readonly audience: string;
  /** For the control API; never the same as `audience`. */
  readonly controlAudience: string;
  readonly claims: {
    readonly id: string;
    readonly email: string;
    readonly name: string;
    readonly groups: string;
  };
  /** Pinned, or a claim that must be one of the listed values. */
  readonly org: { readonly value: string } | { readonly claim: string; readonly oneOf: readonly string[] };
  /** Groups of which the principal must have at least one; empty: none asked for. */
  readonly requireGroups: readonly string[];
}

export interface CustomerIssuer extends Issuer {
  readonly audience: string;
  readonly claims: {
    readonly tenant: string;
    readonly admin: string;
    readonly id: string;
    readonly email: string;
    readonly name: string;
    readonly permissions: string;
    readonly products: string;
  };
}

export const SERVICE_DUTIES = ['grants', 'tenants'] as const;
export type ServiceDuty = (typeof SERVICE_DUTIES)[number];

export interface ServiceAccount {
  readonly name: string;
  /** Reveals 64 lower-case hex digits: the SHA-256 of the whole key, `psk_` included. */
  readonly keyHash: Secret;
  readonly may: readonly ServiceDuty[];
}

export interface GrantsConfig {
  readonly store: { readonly sqlite: { readonly path: string } };
  readonly cache: { readonly maxEntries: number; readonly ttlMs: number; readonly negativeTtlMs: number };
  readonly limits: { readonly defaultMs: number; readonly maxMs: number };
  /** What lies below each tenant's own settings. */
  readonly settings: SettingsDefaults;
}

export interface PoliciesConfig {
  readonly directory: string;
  /** Names, without folder or ending. */
  readonly packs: readonly string[];
  /** `deny`: an allow-list; what no RouteAllowance covers is refused. */
  readonly defaultEffect: 'allow' | 'deny';
  readonly dangerouslyAllowEmpty: boolean;
}

export interface LimitsConfig {
  /** `targetBytes` and `headersBytes` together are at most 32 KiB. */
  readonly targetBytes: number;
  readonly headersBytes: number;
  readonly headerCount: number;
  readonly headerTimeoutMs: number;
  readonly bodyBytes: number;
  /** Of the data listener, open at a time. */
  readonly connections: number;
  /** Requests in progress, of everybody together. */
  readonly inFlight: number;
  /** Bodies held for rules, of everybody together. */
  readonly heldBodiesBytes: number;
  /** Null: no limit. */
  readonly eventLoopDelayMs: number | null;
  /** Upper case, unique, never empty. */
  readonly methods: readonly string[];
  /** Null: no limit. */
  readonly perPrincipal: { readonly concurrent: number | null; readonly perSecond: number | null };
}

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];
