// Every denial of this room, made once: a bad token costs no allocation, and no note can hold a piece of it.
// Hot only in that an expired token in the cache is answered with one of these.
import { type Denial, deny } from '#model/verdict.ts';

const fixed = (denial: Denial): Denial => Object.freeze(denial);
const invalid = (note: string): Denial => fixed(deny('credential_invalid', note));

export const DENIED = {
  // the token's outer form
  tooLong: invalid('the token is larger than 16 KiB'),
  notThreeParts: invalid('the token is not a JWS in compact form'),
  encrypted: invalid('the token is encrypted'),
  base64: invalid('a part of the token is not canonical base64url'),
  header: invalid('the token header is not an unambiguous JSON object'),
  headerMember: invalid('the token header has a member that is not allowed'),
  kid: invalid('the kid of the token is not acceptable'),
  typ: invalid('the typ of the token is not acceptable'),
  payload: invalid('the token payload is not an unambiguous JSON object'),
  signatureSize: invalid('the signature has the wrong size'),
  // who signed it, with what
  issuerMissing: invalid('the token names no issuer'),
  issuerUnknown: fixed(deny('issuer_unknown', 'the issuer is not configured')),
  algorithm: invalid('the algorithm is not allowed for this issuer'),
  unknownKey: invalid('the issuer has no such key'),
  signature: invalid('the signature does not verify'),
  keyWithdrawn: invalid('the key was withdrawn while the token was verified'),
  keysUnavailable: fixed(deny('keys_unavailable', 'the keys of the issuer are not available')),
  // when and for whom
  expired: fixed(deny('credential_expired', 'the token has expired')),
  tooOld: fixed(deny('credential_expired', 'the token is older than its issuer is allowed')),
  exp: invalid('exp is missing or not a date'),
  iat: invalid('iat is missing, not a date, or in the future'),
  nbf: invalid('nbf is not a date, or in the future'),
  audience: invalid('the token is for another audience, or for others as well'),
  azp: invalid('azp is not an allowed party'),
  // what it says about the person
  id: invalid('the subject is missing or malformed'),
  email: invalid('the email address is malformed'),
  groups: invalid('the groups are malformed'),
  tenant: invalid('the tenant is missing or malformed'),
  list: invalid('the permissions or products are malformed'),
  overage: fixed(deny('groups_overage', 'the provider left the groups out, since there are too many')),
  group: fixed(deny('not_support_principal', 'none of the required groups')),
  org: fixed(deny('not_support_principal', 'the organisation is not allowed')),
  // the control listener
  noCredential: fixed(deny('no_credential', 'no single bearer credential')),
  serviceKey: invalid('no service has this key'),
} as const satisfies Record<string, Denial>;
