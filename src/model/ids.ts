// Branded identifiers: a tenant's name cannot be passed where a grant's id is meant.
// A brand says what a string is, not that it was checked; whoever brands one has checked it.

declare const brand: unique symbol;
type Branded<T, Name extends string> = T & { readonly [brand]: Name };

/** The customer's account in the SaaS, as the host, path or header of a request names it. */
export type TenantId = Branded<string, 'TenantId'>;
/** `grt_` and 26 characters of Crockford base 32 that sort by time of creation. */
export type GrantId = Branded<string, 'GrantId'>;
export type SessionId = Branded<string, 'SessionId'>;
/** A UUIDv7 (RFC 9562 section 5.7), made by Postern for each exchange, never taken from a client. */
export type RequestId = Branded<string, 'RequestId'>;
